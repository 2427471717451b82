use std::fmt::Write as _;

use super::picture::Picture;
use super::svg::{draw, escape};
use crate::Graph;

const STYLE: &str = "\
body{margin:2rem;font:14px/1.5 ui-sans-serif,system-ui,sans-serif;color:#1f2430;background:#fafafa}\
@media(prefers-color-scheme:dark){body{color:#e6e9ef;background:#12151b}}\
h1{font-size:1.3rem;margin:0}p{margin:.3rem 0 1rem;opacity:.75}\
.sheet{overflow:auto}.dim{opacity:.15!important}table{border-collapse:collapse;margin-top:1.5rem}\
td,th{text-align:left;padding:.2rem 1.2rem .2rem 0;vertical-align:top}\
";

/// Pointing at a box leaves only its neighbours bright.
const SCRIPT: &str = "\
const all=s=>[...document.querySelectorAll(s)];\
for(const node of all('[data-node]')){\
node.addEventListener('mouseenter',()=>{\
const id=node.dataset.node,near=new Set([id]);\
for(const line of all('[data-from]')){\
const {from,to}=line.dataset,on=from===id||to===id;\
line.classList.toggle('dim',!on);if(on){near.add(from);near.add(to)}}\
for(const other of all('[data-node]'))other.classList.toggle('dim',!near.has(other.dataset.node))});\
node.addEventListener('mouseleave',()=>all('.dim').forEach(e=>e.classList.remove('dim')))}\
";

/// A page of HTML with the picture of [`super::to_svg`] and a table of all nodes; it loads nothing from elsewhere.
pub fn to_html(graph: &Graph) -> String {
    let name = escape(&graph.name);
    let order: Vec<&str> = graph.topological_order.iter().map(|index| graph.node(*index).id.as_str()).collect();
    let mut out = String::from("<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n");
    let _ = writeln!(out, "<title>Resource Graph: {name}</title>\n<style>{STYLE}</style>");
    let _ = writeln!(out, "<h1>Resource Graph: {name}</h1>");
    let _ = writeln!(out, "<p>Topological Order: [{}]</p>\n<div class=\"sheet\">", escape(&order.join(" ")));
    draw(&Picture::of(graph), &graph.name, &mut out);
    out.push_str("</div>\n<table>\n<tr><th>#<th>Resource<th>Kind<th>Depends on\n");
    for (position, index) in graph.topological_order.iter().enumerate() {
        let node = graph.node(*index);
        let before: Vec<&str> = node.dependencies.iter().map(|index| graph.node(*index).id.as_str()).collect();
        let (id, kind) = (escape(&node.id), escape(&node.gvk.to_string()));
        let _ = writeln!(out, "<tr><td>{position}<td>{id}<td>{kind}<td>{}", escape(&before.join(", ")));
    }
    let _ = writeln!(out, "</table>\n<script>{SCRIPT}</script>\n</html>");
    out
}
