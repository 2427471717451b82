//! A layered layout: every box stands below those its arrows come from, and arrows cross as little as a few sweeps get
//! them to. Coordinates are whole pixels, the same on every machine.

/// Space between boxes of a layer.
const GAP_X: i64 = 28;
/// Space between layers.
const GAP_Y: i64 = 56;
/// Space around everything.
const MARGIN: i64 = 16;
/// Height of a box.
pub const BOX_HEIGHT: i64 = 44;
/// Width of the lane of an arrow that passes a layer.
const LANE: i64 = 8;
/// How often the order within layers is improved.
const SWEEPS: usize = 8;
/// Beyond this many passed layers, arrows go straight: a picture of that size is not looked at closely.
const LANES_MAX: usize = 20_000;

/// What is to be laid out.
#[derive(Debug, Default)]
pub struct Plan {
    /// Width of each box.
    pub widths: Vec<i64>,
    /// Arrows between boxes; together without a cycle.
    pub arrows: Vec<(usize, usize)>,
}

/// Where everything stands.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// Width of the picture.
    pub width: i64,
    /// Height of the picture.
    pub height: i64,
    /// Left upper corner of each box.
    pub corners: Vec<(i64, i64)>,
    /// The points each arrow goes through: from the lower edge of one box to the upper edge of another.
    pub lines: Vec<Vec<(i64, i64)>>,
}

/// A box, or the place where an arrow passes a layer.
struct Cell {
    layer: usize,
    width: i64,
    /// Neighbours in the layers before and after.
    before: Vec<usize>,
    after: Vec<usize>,
    /// Centre.
    x: i64,
}

/// Lays out a plan.
pub fn lay_out(plan: &Plan) -> Layout {
    let layers = layers_of(plan);
    let mut cells: Vec<Cell> = plan.widths.iter().zip(&layers).map(|(width, layer)| cell(*layer, *width)).collect();
    let chains = route(plan, &layers, &mut cells);
    let mut rows = vec![Vec::new(); layers.iter().max().map_or(0, |last| last + 1)];
    cells.iter().enumerate().for_each(|(index, cell)| rows[cell.layer].push(index));
    for sweep in 0..SWEEPS {
        reorder(&mut rows, &cells, sweep % 2 == 0);
    }
    place(&rows, &mut cells);
    finish(plan, &cells, &chains, rows.len())
}

fn cell(layer: usize, width: i64) -> Cell {
    Cell { layer, width, before: Vec::new(), after: Vec::new(), x: 0 }
}

/// The longest way to each box.
fn layers_of(plan: &Plan) -> Vec<usize> {
    let mut layers = vec![0; plan.widths.len()];
    let mut waiting = vec![0_usize; plan.widths.len()];
    let mut targets = vec![Vec::new(); plan.widths.len()];
    for (from, to) in &plan.arrows {
        waiting[*to] += 1;
        targets[*from].push(*to);
    }
    let mut free: Vec<usize> = (0..waiting.len()).filter(|index| waiting[*index] == 0).collect();
    while let Some(from) = free.pop() {
        for to in &targets[from] {
            layers[*to] = layers[*to].max(layers[from] + 1);
            waiting[*to] -= 1;
            if waiting[*to] == 0 {
                free.push(*to);
            }
        }
    }
    layers
}

/// The cells that each arrow goes through, with new ones where it passes a layer.
fn route(plan: &Plan, layers: &[usize], cells: &mut Vec<Cell>) -> Vec<Vec<usize>> {
    let span = |(from, to): &(usize, usize)| layers[*to].saturating_sub(layers[*from] + 1);
    let is_too_much = plan.arrows.iter().map(span).sum::<usize>() > LANES_MAX;
    let mut chains = Vec::with_capacity(plan.arrows.len());
    for (from, to) in &plan.arrows {
        let mut chain = vec![*from];
        if !is_too_much {
            for layer in layers[*from] + 1..layers[*to] {
                chain.push(cells.len());
                cells.push(cell(layer, LANE));
            }
        }
        chain.push(*to);
        for pair in chain.windows(2) {
            cells[pair[0]].after.push(pair[1]);
            cells[pair[1]].before.push(pair[0]);
        }
        chains.push(chain);
    }
    chains
}

/// Sorts every layer by the mean position of the neighbours in the layer that was sorted before.
fn reorder(rows: &mut [Vec<usize>], cells: &[Cell], down: bool) {
    let mut position = vec![0_usize; cells.len()];
    rows.iter().for_each(|row| row.iter().enumerate().for_each(|(at, cell)| position[*cell] = at));
    let count = rows.len();
    for step in 1..count {
        let row = &mut rows[if down { step } else { count - 1 - step }];
        // In thousandths, so that means of whole numbers are told apart without floating point.
        let mean = |cell: &usize| {
            let neighbours = if down { &cells[*cell].before } else { &cells[*cell].after };
            let sum: usize = neighbours.iter().map(|neighbour| position[*neighbour] * 1000).sum();
            if neighbours.is_empty() { position[*cell] * 1000 } else { sum / neighbours.len() }
        };
        let mut keyed: Vec<(usize, usize)> = row.iter().map(|cell| (mean(cell), *cell)).collect();
        keyed.sort_by_key(|(mean, _)| *mean);
        *row = keyed.into_iter().map(|(_, cell)| cell).collect();
        row.iter().enumerate().for_each(|(at, cell)| position[*cell] = at);
    }
}

/// Gives every cell its centre: first packed around the middle, then drawn to its neighbours as far as there is room.
fn place(rows: &[Vec<usize>], cells: &mut [Cell]) {
    for row in rows {
        let total: i64 = row.iter().map(|cell| cells[*cell].width + GAP_X).sum();
        let mut x = -total / 2;
        for cell in row {
            cells[*cell].x = x + cells[*cell].width / 2;
            x += cells[*cell].width + GAP_X;
        }
    }
    for sweep in 0..SWEEPS {
        let down = sweep % 2 == 0;
        for step in 0..rows.len() {
            draw_together(&rows[if down { step } else { rows.len() - 1 - step }], cells, down);
        }
    }
}

fn draw_together(row: &[usize], cells: &mut [Cell], down: bool) {
    let wanted: Vec<i64> = row
        .iter()
        .map(|index| {
            let cell = &cells[*index];
            let neighbours = if down { &cell.before } else { &cell.after };
            let sum: i64 = neighbours.iter().map(|neighbour| cells[*neighbour].x).sum();
            i64::try_from(neighbours.len()).ok().filter(|count| *count > 0).map_or(cell.x, |count| sum / count)
        })
        .collect();
    let mut shift = 0;
    for (at, index) in row.iter().enumerate() {
        let least = at.checked_sub(1).map(|before| {
            let before = &cells[row[before]];
            before.x + (before.width + cells[*index].width) / 2 + GAP_X
        });
        cells[*index].x = least.map_or(wanted[at], |least| least.max(wanted[at]));
        shift += wanted[at] - cells[*index].x;
    }
    // Pushing apart moved the row to the right: as a whole it goes back.
    let shift = shift / i64::try_from(row.len().max(1)).unwrap_or(1);
    row.iter().for_each(|index| cells[*index].x += shift);
}

fn finish(plan: &Plan, cells: &[Cell], chains: &[Vec<usize>], rows: usize) -> Layout {
    let left = cells.iter().map(|cell| cell.x - cell.width / 2).min().unwrap_or(0);
    let right = cells.iter().map(|cell| cell.x + cell.width / 2).max().unwrap_or(0);
    let top = |cell: &Cell| MARGIN + i64::try_from(cell.layer).unwrap_or(0) * (BOX_HEIGHT + GAP_Y);
    let x = |cell: &Cell| cell.x - left + MARGIN;
    let corners = cells.iter().take(plan.widths.len()).map(|cell| (x(cell) - cell.width / 2, top(cell))).collect();
    let line = |chain: &Vec<usize>| {
        let mut points = Vec::new();
        for (at, index) in chain.iter().enumerate() {
            let cell = &cells[*index];
            if at > 0 {
                points.push((x(cell), top(cell)));
            }
            if at + 1 < chain.len() {
                points.push((x(cell), top(cell) + BOX_HEIGHT));
            }
        }
        points
    };
    let rows = i64::try_from(rows).unwrap_or(0);
    Layout {
        width: right - left + 2 * MARGIN,
        height: (rows * (BOX_HEIGHT + GAP_Y) - GAP_Y).max(0) + 2 * MARGIN,
        corners,
        lines: chains.iter().map(line).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlaps(layout: &Layout, plan: &Plan) -> bool {
        let mut boxes: Vec<(i64, i64, i64)> =
            layout.corners.iter().zip(&plan.widths).map(|((x, y), width)| (*y, *x, x + width)).collect();
        boxes.sort_unstable();
        boxes.windows(2).any(|pair| pair[0].0 == pair[1].0 && pair[0].2 > pair[1].1)
    }

    #[test]
    fn boxes_stand_below_what_they_read_and_never_on_each_other() {
        let diamond = Plan { widths: vec![80, 60, 120, 50], arrows: vec![(0, 1), (0, 2), (1, 3), (2, 3), (0, 3)] };
        let wide = Plan { widths: vec![100; 41], arrows: (1..41).map(|to| (0, to)).collect() };
        let chain = Plan { widths: vec![70; 30], arrows: (1..30).map(|to| (to - 1, to)).collect() };
        let dense =
            Plan { widths: vec![60; 40], arrows: (0..40).flat_map(|to| (0..to).map(move |from| (from, to))).collect() };
        for plan in [Plan::default(), diamond, wide, chain, dense] {
            let layout = lay_out(&plan);
            assert!(!overlaps(&layout, &plan), "{layout:?}");
            for (from, to) in &plan.arrows {
                assert!(layout.corners[*from].1 + BOX_HEIGHT < layout.corners[*to].1);
            }
            for ((x, y), width) in layout.corners.iter().zip(&plan.widths) {
                assert!(*x >= 0 && *y >= 0 && x + width <= layout.width && y + BOX_HEIGHT <= layout.height);
            }
            assert_eq!(layout, lay_out(&plan));
        }
    }

    #[test]
    fn a_chain_is_straight() {
        let layout = lay_out(&Plan { widths: vec![70; 3], arrows: vec![(0, 1), (1, 2)] });
        assert!(layout.corners.iter().all(|(x, _)| *x == MARGIN), "{layout:?}");
    }

    #[test]
    fn large_graphs_are_bounded() {
        let arrows = (1..2000).flat_map(|to| [(to - 1, to), (0, to)]).filter(|(from, to)| from != to).collect();
        let plan = Plan { widths: vec![50; 2000], arrows };
        let layout = lay_out(&plan);
        assert!(layout.lines.iter().all(|line| line.len() == 2));
    }
}
