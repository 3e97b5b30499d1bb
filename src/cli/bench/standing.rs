//! How the selected accelerator stands beside the single ones, over all that was timed.

use serde::Serialize;

/// What counts as equally fast.
const EQUAL: f64 = 1.03;

/// The last object of `bench --json`, where single backends stood beside what is selected.
#[derive(Debug, Default, Serialize)]
#[serde(tag = "schema", rename = "auralis.bench-standing/1")]
pub struct Standing {
    /// The kernels and sizes that were timed.
    cells: usize,
    /// Those where what is selected takes at most 3 % longer than the fastest single backend.
    within_3_percent: usize,
    /// Those of the others where the control is as far off: noise may be all that it is.
    within_control: usize,
    /// The most that it takes longer in what is left.
    worst: Option<Worst>,
}

#[derive(Debug, Serialize)]
struct Worst {
    kernel: String,
    size: Vec<usize>,
    ratio: f64,
    nanoseconds: f64,
}

impl Standing {
    /// Adds a cell: the time of what is selected and of the fastest single backend, in nanoseconds, and
    /// the ratio of two times of one backend.
    pub fn add(&mut self, kernel: &str, size: &[usize], [selected, best]: [f64; 2], control: f64) {
        let ratio = selected / best;
        self.cells += 1;
        if ratio <= EQUAL {
            self.within_3_percent += 1;
        } else if ratio <= control.max(1.0 / control) {
            self.within_control += 1;
        } else if self.worst.as_ref().is_none_or(|worst| ratio > worst.ratio) {
            self.worst = Some(Worst {
                kernel: kernel.to_owned(),
                size: size.to_vec(),
                ratio,
                nanoseconds: selected - best,
            });
        }
    }

    /// Whether anything stood beside what is selected.
    pub fn is_empty(&self) -> bool {
        self.cells == 0
    }

    /// The same in words.
    pub fn sentence(&self) -> String {
        let Self {
            cells,
            within_3_percent,
            within_control,
            worst,
        } = self;
        let mut sentence = format!(
            "selected takes at most 3 % longer than the fastest single backend in \
             {within_3_percent} of {cells} cells"
        );
        if *within_control > 0 {
            sentence += &format!("; in {within_control} more the control is as far off");
        }
        if let Some(worst) = worst {
            let size: Vec<_> = worst.size.iter().map(usize::to_string).collect();
            sentence += &format!(
                "; in the rest it is off by a factor of {:.2} at most ({} at {}: {:.1} ns)",
                worst.ratio,
                worst.kernel,
                size.join(" x "),
                worst.nanoseconds
            );
        }
        sentence
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_counted_by_what_they_are_off() {
        let mut standing = Standing::default();
        assert!(standing.is_empty());
        standing.add("dot", &[64], [10.3, 10.0], 1.0);
        assert_eq!(
            standing.sentence(),
            "selected takes at most 3 % longer than the fastest single backend in 1 of 1 cells"
        );
        standing.add("dot", &[64], [9.0, 10.0], 1.0);
        standing.add("dot", &[256], [10.4, 10.0], 0.95);
        standing.add("dot", &[4], [6.0, 5.0], 1.1);
        standing.add("convolver", &[64, 512], [13.0, 10.0], 1.0);
        assert_eq!(
            standing.sentence(),
            "selected takes at most 3 % longer than the fastest single backend in 2 of 5 cells; \
             in 1 more the control is as far off; in the rest it is off by a factor of 1.30 at \
             most (convolver at 64 x 512: 3.0 ns)"
        );
    }
}
