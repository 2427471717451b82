use std::fmt::Write as _;

use super::layout::BOX_HEIGHT;
use super::picture::{Arrow, Item, Picture};
use crate::Graph;

/// Colours follow the reader's light or dark mode.
pub(super) const STYLE: &str = "\
.kro{--ink:#1f2430;--dim:#667085;--line:#98a2b3;--fill:#fff;--accent:#3358d4}\
@media(prefers-color-scheme:dark){.kro{--ink:#e6e9ef;--dim:#98a2b3;--line:#667085;--fill:#1b1f27;--accent:#8da4ef}}\
.kro text{font-family:ui-sans-serif,system-ui,sans-serif;text-anchor:middle;fill:var(--ink)}\
.kro .title{font-size:13px;font-weight:600}.kro .subtitle{font-size:11px;fill:var(--dim)}\
.kro rect{fill:var(--fill);stroke:var(--line);stroke-width:1.4}\
.kro .instance rect{stroke:var(--accent);stroke-width:2}.kro .external rect{stroke-dasharray:5 3}\
.kro path{fill:none;stroke:var(--line);stroke-width:1.3}.kro marker path{fill:var(--line);stroke:none}\
.kro .soft{stroke-dasharray:2 4}.kro .from-instance{stroke:var(--accent);opacity:.45}\
";

/// An SVG document: boxes for the instance and all nodes, arrows from what is read to what reads it. Collections are
/// stacked boxes, external objects dashed ones; dotted arrows are native references, which give order only.
pub fn to_svg(graph: &Graph) -> String {
    let picture = Picture::of(graph);
    let mut out = String::new();
    draw(&picture, &graph.name, &mut out);
    out
}

/// Appends the `svg` element.
pub(super) fn draw(picture: &Picture, name: &str, out: &mut String) {
    let (width, height) = (picture.layout.width, picture.layout.height);
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"kro\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\">"
    );
    let _ = writeln!(out, "<title>Resource Graph: {}</title>", escape(name));
    let _ = writeln!(out, "<style>{STYLE}</style>");
    out.push_str(
        "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" \
         orient=\"auto\"><path d=\"M0 0 8 4 0 8z\"/></marker></defs>\n",
    );
    for (arrow, points) in picture.arrows.iter().zip(&picture.layout.lines) {
        draw_arrow(arrow, points, out);
    }
    for (index, (item, corner)) in picture.items.iter().zip(&picture.layout.corners).enumerate() {
        draw_item(index, item, *corner, out);
    }
    out.push_str("</svg>\n");
}

fn draw_arrow(arrow: &Arrow, points: &[(i64, i64)], out: &mut String) {
    let Arrow { from, to, style } = arrow;
    let _ = write!(out, "<path class=\"{style}\" data-from=\"{from}\" data-to=\"{to}\" marker-end=\"url(#tip)\" d=\"");
    let mut last = (0, 0);
    for (at, (x, y)) in points.iter().enumerate() {
        let _ = match at {
            0 => write!(out, "M{x} {y}"),
            // Down through a layer it is a straight line, between layers a curve that starts and ends upright.
            _ if at % 2 == 0 => write!(out, "L{x} {y}"),
            _ => {
                let middle = (last.1 + y) / 2;
                write!(out, "C{} {middle} {x} {middle} {x} {y}", last.0)
            }
        };
        last = (*x, *y);
    }
    out.push_str("\"/>\n");
}

fn draw_item(index: usize, item: &Item, (x, y): (i64, i64), out: &mut String) {
    let Item { title, subtitle, details, shape, width } = item;
    let middle = x + width / 2;
    let _ = write!(out, "<g class=\"node {shape}\" data-node=\"{index}\"><title>{}</title>", escape(details));
    let radius = if *shape == "instance" { BOX_HEIGHT / 2 } else { 6 };
    let copies: &[i64] = if shape.ends_with("collection") { &[4, 0] } else { &[0] };
    for offset in copies {
        let (x, y) = (x + offset, y + offset);
        let _ = write!(out, "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{BOX_HEIGHT}\" rx=\"{radius}\"/>");
    }
    let _ = write!(out, "<text class=\"title\" x=\"{middle}\" y=\"{}\">{}</text>", y + 19, escape(title));
    let _ = writeln!(out, "<text class=\"subtitle\" x=\"{middle}\" y=\"{}\">{}</text></g>", y + 34, escape(subtitle));
}

/// Text for XML and HTML, also inside of attributes. Characters that XML cannot hold become spaces.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(letter),
            control if control.is_control() || matches!(control, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn text_stays_text() {
        assert_eq!(escape("a<b>&\"c\"\u{1}"), "a&lt;b&gt;&amp;&quot;c&quot; ");
    }
}
