//! Where the live view goes: redrawn in place on a terminal, appended as lines elsewhere.

use std::io::{IsTerminal, Write};

use kro_engine::Timestamp;
use kro_manager::View;

use super::display::{describe_changes, draw_tree};
use crate::terminal;

/// Begin and end of a frame that a terminal shows at once (terminals that do not know it ignore it): no flicker.
const FRAME: (&str, &str) = ("\x1b[?2026h", "\x1b[?2026l");

pub struct Screen {
    live: bool,
    /// Lines of the frame that is shown.
    drawn: usize,
    shown: View,
}

impl Screen {
    pub fn new(plain: bool) -> Self {
        let live = !plain && std::io::stdout().is_terminal();
        Self { live, drawn: 0, shown: View::default() }
    }

    /// True when durations are on display, so that the view is worth drawing again without a change.
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// Shows the view.
    pub fn show(&mut self, view: &View, now: Timestamp) {
        if self.live {
            let (width, height) = terminal::size();
            let mut lines = draw_tree(view, now, width.saturating_sub(1));
            let room = height.saturating_sub(2).max(1);
            if lines.len() > room {
                let more = lines.len() - (room - 1);
                lines.truncate(room - 1);
                lines.push(format!("… {more} more lines: kubectl get rgd shows all"));
            }
            self.replace(&lines);
        } else {
            for line in describe_changes(&self.shown, view) {
                anstream::println!("{} {line}", clock_text(now));
            }
        }
        self.shown = view.clone();
    }

    /// Prints lines above the live view.
    pub fn print(&mut self, lines: &[String]) {
        self.replace(&[]);
        for line in lines {
            anstream::println!("{line}");
        }
    }

    fn replace(&mut self, lines: &[String]) {
        if self.live {
            let mut frame = String::from(FRAME.0);
            if self.drawn > 0 {
                frame.push_str(&format!("\x1b[{}F", self.drawn));
            }
            frame.push_str("\x1b[0J");
            for line in lines {
                frame.push_str(line);
                frame.push('\n');
            }
            frame.push_str(FRAME.1);
            let mut out = anstream::stdout().lock();
            let _ = out.write_all(frame.as_bytes());
            let _ = out.flush();
            self.drawn = lines.len();
        }
    }
}

/// The time of day in UTC.
fn clock_text(now: Timestamp) -> String {
    let text = now.to_rfc3339();
    text.get(11..19).unwrap_or_default().to_owned()
}
