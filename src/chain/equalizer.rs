//! The stage `equalizer`: peaking and shelving bands as a cascade of second-order sections.

use std::f64::consts::{FRAC_1_SQRT_2, TAU};

use auralis_core::{AudioBlockMut, Biquad, BiquadCascade, Error, ErrorKind, Executor, Result};
use serde::{Deserialize, Serialize};

use super::{Prepare, Processor, Stage, StageSchema};

/// A cascade of bands. Their gains add up in decibels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Equalizer {
    /// The bands, in any order.
    pub bands: Vec<Band>,
}

/// One band of an [`Equalizer`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Band {
    /// The centre of a peak, or the middle of a shelf's slope, in Hz: below half the sample rate.
    #[cfg_attr(test, schemars(range(min = 1.0)))]
    pub hz: f64,
    /// The gain at the centre, or of the shelf, in decibels.
    #[cfg_attr(test, schemars(range(min = -60.0, max = 60.0)))]
    pub gain_db: f64,
    /// The quality factor; the default is 1 for a peak and 0.7071 for a shelf.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(range(min = 0.01)))]
    pub q: Option<f64>,
    /// The shape.
    #[serde(default)]
    pub shape: BandShape,
}

/// The shape of a [`Band`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum BandShape {
    /// Raises or lowers what lies around the centre.
    #[default]
    Peak,
    /// Raises or lowers what lies below.
    LowShelf,
    /// Raises or lowers what lies above.
    HighShelf,
}

auralis_core::inventory::submit! {
    StageSchema { name: "equalizer", schema: include_str!("schemas/equalizer.schema.json") }
}

#[typetag::serde(name = "equalizer")]
impl Stage for Equalizer {
    fn prepare(&self, context: &Prepare<'_>) -> Result<Box<dyn Processor>> {
        let sections = self
            .bands
            .iter()
            .map(|band| band.section(context.sample_rate))
            .collect::<Result<Vec<_>>>()?;
        let cascade = context
            .parts
            .accelerator
            .plan_biquads(&sections, context.channels)?;
        Ok(Box::new(Prepared {
            cascade,
            bypass: sections.is_empty(),
        }))
    }
}

impl Band {
    /// The band as a second-order section: R. Bristow-Johnson, "Cookbook formulae for audio
    /// equalizer biquad filter coefficients" (W3C note, 2021), `peakingEQ`, `lowShelf` and
    /// `highShelf`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the band lies at or above half the sample rate.
    pub fn section(&self, sample_rate: u32) -> Result<Biquad> {
        let nyquist = f64::from(sample_rate) / 2.0;
        if self.hz >= nyquist {
            let message = "an equalizer band lies at or above half the sample rate";
            return Err(Error::new(ErrorKind::Config, message)
                .with("band", format_args!("{} Hz", self.hz))
                .with("half the sample rate", format_args!("{nyquist} Hz")));
        }
        let a = 10f64.powf(self.gain_db / 40.0);
        let (sin, cos) = (TAU * self.hz / f64::from(sample_rate)).sin_cos();
        let default_q = if self.shape == BandShape::Peak {
            1.0
        } else {
            FRAC_1_SQRT_2
        };
        let alpha = sin / (2.0 * self.q.unwrap_or(default_q));
        let root = 2.0 * a.sqrt() * alpha;
        let shelf = |cos: f64| {
            let sum = (a + 1.0) + (a - 1.0) * cos;
            let difference = (a + 1.0) - (a - 1.0) * cos;
            (sum, difference)
        };
        Ok(match self.shape {
            BandShape::Peak => normalized(
                [1.0 + alpha * a, -2.0 * cos, 1.0 - alpha * a],
                [1.0 + alpha / a, -2.0 * cos, 1.0 - alpha / a],
            ),
            BandShape::LowShelf => {
                let (sum, difference) = shelf(cos);
                normalized(
                    [
                        a * (difference + root),
                        2.0 * a * ((a - 1.0) - (a + 1.0) * cos),
                        a * (difference - root),
                    ],
                    [sum + root, -2.0 * ((a - 1.0) + (a + 1.0) * cos), sum - root],
                )
            }
            BandShape::HighShelf => {
                let (sum, difference) = shelf(cos);
                normalized(
                    [
                        a * (sum + root),
                        -2.0 * a * ((a - 1.0) + (a + 1.0) * cos),
                        a * (sum - root),
                    ],
                    [
                        difference + root,
                        2.0 * ((a - 1.0) - (a + 1.0) * cos),
                        difference - root,
                    ],
                )
            }
        })
    }
}

fn normalized(b: [f64; 3], a: [f64; 3]) -> Biquad {
    Biquad {
        b0: b[0] / a[0],
        b1: b[1] / a[0],
        b2: b[2] / a[0],
        a1: a[1] / a[0],
        a2: a[2] / a[0],
    }
}

#[derive(Debug)]
struct Prepared {
    cascade: Box<dyn BiquadCascade>,
    bypass: bool,
}

impl Processor for Prepared {
    fn process(&mut self, block: &mut AudioBlockMut<'_>, _: Option<&dyn Executor>) -> Result<()> {
        if self.bypass {
            Ok(())
        } else {
            self.cascade.process(block)
        }
    }

    fn reset(&mut self) {
        self.cascade.reset();
    }
}
