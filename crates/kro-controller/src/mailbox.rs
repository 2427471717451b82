use kro_manager::Event;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;

/// What the driver is told.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // nearly all letters are events
pub(crate) enum Letter {
    /// An event, and which manager it is for: ids of requests and watches are unique within one manager only.
    Event {
        event: Event,
        /// `None`: for whichever manager there is.
        generation: Option<u32>,
        /// When it was put in.
        sent: Instant,
    },
    /// Somebody looks at the view from now on.
    View,
}

impl Letter {
    /// True when the manager that now owns the mailbox is meant.
    pub(crate) fn is_for(&self, mailbox: &Mailbox) -> bool {
        match self {
            Self::Event { generation: Some(generation), .. } => *generation == mailbox.generation,
            _ => true,
        }
    }
}

/// Where tasks put what they have for the manager that started them.
#[derive(Debug, Clone)]
pub(crate) struct Mailbox {
    letters: UnboundedSender<Letter>,
    generation: u32,
}

impl Mailbox {
    pub(crate) fn open() -> (Self, UnboundedReceiver<Letter>) {
        let (letters, incoming) = unbounded_channel();
        (Self { letters, generation: 0 }, incoming)
    }

    /// A new manager: letters for the old one will be told apart.
    pub(crate) fn begin_anew(&mut self) {
        self.generation += 1;
    }

    /// False when nobody reads any more.
    pub(crate) fn send(&self, event: Event) -> bool {
        self.letters.send(Letter::Event { event, generation: Some(self.generation), sent: Instant::now() }).is_ok()
    }

    /// For whichever manager there is.
    pub(crate) fn send_to_any(&self, event: Event) -> bool {
        self.letters.send(Letter::Event { event, generation: None, sent: Instant::now() }).is_ok()
    }

    /// Has the view published.
    pub(crate) fn ask_for_view(&self) {
        let _ = self.letters.send(Letter::View);
    }
}
