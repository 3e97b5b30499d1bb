//! Plots of a file's course as inline SVG with labels in HTML, so that they stretch and print well.

use std::fmt::Write;

use maud::{Markup, html};

use super::figures::{clock, fixed};

/// The most columns of a plot: what bounds the size of a page.
const COLUMNS: usize = 600;
/// The height of every drawing in its own units.
const HEIGHT: f64 = 100.0;

/// A plot: a caption, labels at the left edge, and shapes over the whole length of the file.
pub struct Plot<'a> {
    /// The caption.
    pub name: &'a str,
    /// What the caption adds: figures and the meaning of the lines.
    pub legend: Markup,
    /// What the plot shows, in words.
    pub description: String,
    /// Labels and their distance from the top, from 0 to 1.
    pub ticks: Vec<(String, f64)>,
    /// Horizontal lines: their style and distance from the top, from 0 to 1.
    pub lines: Vec<(&'static str, f64)>,
    /// The shapes, the first at the back. They have the same count of columns.
    pub shapes: Vec<Shape>,
}

/// One shape of a plot.
pub struct Shape {
    style: &'static str,
    columns: usize,
    path: String,
}

impl Plot<'_> {
    /// The plot as a figure.
    pub fn figure(&self) -> Markup {
        let columns = self.shapes.iter().map(|s| s.columns).max().unwrap_or(1);
        html! {
            figure {
                figcaption { b { (self.name) } (self.legend) }
                div .plot {
                    div .ticks aria-hidden="true" {
                        @for (label, at) in &self.ticks {
                            span style=(format!("top:{:.1}%", 100.0 * at)) { (label) }
                        }
                    }
                    svg role="img" viewBox=(format!("0 0 {columns} {HEIGHT}"))
                        preserveAspectRatio="none" {
                        title { (self.description) }
                        @for (_, at) in &self.ticks {
                            (horizontal("grid", *at, columns))
                        }
                        @for shape in &self.shapes {
                            path class=(shape.style) d=(shape.path) {}
                        }
                        @for (style, at) in &self.lines {
                            (horizontal(style, *at, columns))
                        }
                    }
                }
            }
        }
    }
}

fn horizontal(style: &str, at: f64, columns: usize) -> Markup {
    html! { path class=(style) d=(format!("M0 {:.1}H{columns}", at * HEIGHT)) {} }
}

/// A figure that says why there is nothing to draw.
pub fn absent(name: &str, why: &str) -> Markup {
    html! { figure .absent { figcaption { b { (name) } span { (why) } } } }
}

/// The times below the plots of a file of this length.
pub fn time_axis(seconds: f64) -> Markup {
    let step = [
        1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0,
    ]
    .into_iter()
    .find(|step| seconds / step <= 8.0)
    .unwrap_or_else(|| 3600.0 * (seconds / 8.0 / 3600.0).ceil());
    let ticks = (0..=8u32)
        .map(|i| f64::from(i) * step)
        .take_while(|at| *at <= seconds);
    html! {
        div .times aria-hidden="true" {
            @for at in ticks {
                span style=(format!("left:{:.2}%", 100.0 * at / seconds.max(1e-9))) {
                    (clock(at).trim_end_matches(".0"))
                }
            }
        }
    }
}

/// The series in at most as many columns as a plot has, each the largest value of its stretch.
/// No column is below `lowest`, which also stands for what is not finite.
pub fn columns(series: &[f32], lowest: f32) -> Vec<f32> {
    let count = series.len().min(COLUMNS);
    let edge = |i: usize| i * series.len() / count;
    (0..count)
        .map(|i| {
            let stretch = &series[edge(i)..edge(i + 1)];
            let finite = stretch.iter().copied().filter(|x| x.is_finite());
            finite.fold(lowest, f32::max)
        })
        .collect()
}

/// Where a value lies between the top and the bottom of a plot, from 0 to 1.
pub fn position(value: f64, top: f64, bottom: f64) -> f64 {
    ((top - value) / (top - bottom)).clamp(0.0, 1.0)
}

impl Shape {
    /// One bar per column around the middle, each as high as its share of the whole height.
    pub fn bars(style: &'static str, heights: &[f64]) -> Self {
        let mut path = "M0 50".to_owned();
        for (x, height) in heights.iter().enumerate() {
            let y = shortest((0.5 - 0.5 * height) * HEIGHT);
            let _ = write!(path, "V{y}H{}", x + 1);
        }
        for (x, height) in heights.iter().enumerate().rev() {
            let y = shortest((0.5 + 0.5 * height) * HEIGHT);
            let _ = write!(path, "V{y}H{x}");
        }
        Self::new(style, heights, path + "Z")
    }

    /// One bar per column that hangs from the top.
    pub fn hanging(style: &'static str, depths: &[f64]) -> Self {
        let mut path = "M0 0".to_owned();
        for (x, depth) in depths.iter().enumerate() {
            let _ = write!(path, "V{}H{}", shortest(depth * HEIGHT), x + 1);
        }
        Self::new(style, depths, path + "V0Z")
    }

    /// A line, given as distances from the top.
    pub fn line(style: &'static str, course: &[f64]) -> Self {
        let mut path = String::new();
        let end = course.last().map(|y| (course.len(), y));
        for (x, y) in course.iter().enumerate().chain(end) {
            let command = if x == 0 { 'M' } else { 'L' };
            let _ = write!(path, "{command}{x} {}", shortest(y * HEIGHT));
        }
        Self::new(style, course, path)
    }

    /// The area below such a line.
    pub fn below(style: &'static str, course: &[f64]) -> Self {
        let line = Self::line(style, course);
        let path = line.path + &format!("V{HEIGHT}H0Z");
        Self { path, ..line }
    }

    fn new(style: &'static str, columns: &[f64], path: String) -> Self {
        Self {
            style,
            columns: columns.len(),
            path,
        }
    }
}

/// One decimal, and none where it is 0.
fn shortest(value: f64) -> String {
    let text = fixed(value, 1);
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_becomes_a_bounded_number_of_columns_that_hold_its_peaks() {
        for len in [0, 1, 2, COLUMNS, COLUMNS + 1, 1024, 5000] {
            let mut series = vec![0.25; len];
            if let Some(last) = series.last_mut() {
                *last = 0.75;
            }
            let columns = columns(&series, 0.0);
            assert_eq!(columns.len(), len.min(COLUMNS));
            assert_eq!(columns.last().copied(), (len > 0).then_some(0.75));
        }
        let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.5];
        assert_eq!(columns(&odd, -1.0), [-1.0, -1.0, -1.0, 0.5]);
    }

    #[test]
    fn a_shape_reaches_from_edge_to_edge() {
        let (low, high) = ([0.5, 0.25], [1.0]);
        assert_eq!(Shape::line("", &low).path, "M0 50L1 25L2 25");
        assert_eq!(Shape::below("", &low).path, "M0 50L1 25L2 25V100H0Z");
        assert_eq!(Shape::bars("", &low).path, "M0 50V25H1V37.5H2V62.5H1V75H0Z");
        assert_eq!(Shape::hanging("", &high).path, "M0 0V100H1V0Z");
    }
}
