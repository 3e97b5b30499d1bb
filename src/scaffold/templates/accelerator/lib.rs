//! The accelerator `plugin-name`: three kernels. What it lacks comes from another backend.

use std::sync::Arc;

use auralis_core::{
    Accelerator, CpuFeatures, Descriptor, Error, ErrorKind, NoOptions, Result, register,
};

// Exports what this crate registers: the whole difference between a library and a plugin.
auralis_abi::export_plugin!();

register! {
    Descriptor::<dyn Accelerator> {
        // The name by which a configuration asks for it.
        id: "plugin-name",
        summary: "Gains in plain loops",
        version: env!("CARGO_PKG_VERSION"),
        // Negative: only by name. Above those of `auralis backends`: the default of its users.
        rank: -1,
        // CPU features that the code can't do without, such as CpuFeatures::of(&["avx2", "fma"]).
        requires: CpuFeatures::NONE,
        // The kernels that are implemented below, and no others: `plugin check` compares.
        capabilities: &["scale", "channel_gains", "mix"],
        options_schema: NoOptions::SCHEMA,
        build: |context| {
            let NoOptions {} = context.options.parse()?;
            Ok(Arc::new(Gains))
        },
    }
}

/// What is built once and then called from any thread, a real-time thread included.
#[derive(Debug)]
struct Gains;

// A kernel takes any length, zero included, and any alignment. It does not allocate, lock, print or
// panic. What each one must answer, and how exactly, stands at its method of the trait.
impl Accelerator for Gains {
    fn scale(&self, data: &mut [f32], gain: f32) -> Result<()> {
        for sample in data {
            *sample *= gain;
        }
        Ok(())
    }

    fn channel_gains(&self, interleaved: &mut [f32], gains: &[f32]) -> Result<()> {
        // Lengths are checked before anything is written. No gains at all fit no samples at all.
        let rest = interleaved.len().checked_rem(gains.len());
        if rest.unwrap_or(interleaved.len()) != 0 {
            return Err(lengths("the audio does not consist of whole frames"));
        }
        for frame in interleaved.chunks_exact_mut(gains.len().max(1)) {
            for (sample, gain) in frame.iter_mut().zip(gains) {
                *sample *= gain;
            }
        }
        Ok(())
    }

    fn mix(&self, dst: &mut [f32], src: &[f32], gain: f32) -> Result<()> {
        if dst.len() != src.len() {
            return Err(lengths("the slices are not of equal length"));
        }
        for (sum, sample) in dst.iter_mut().zip(src) {
            *sum += sample * gain;
        }
        Ok(())
    }
}

/// An error of a static text allocates nothing.
fn lengths(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidInput, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_channel_has_its_gain() {
        let mut stereo = [1.0, 1.0, 2.0, 2.0];
        Gains.channel_gains(&mut stereo, &[0.5, -1.0]).unwrap();
        assert_eq!(stereo, [0.5, -1.0, 1.0, -2.0]);
    }

    #[test]
    fn lengths_that_do_not_fit_are_an_error_and_change_nothing() {
        let mut data = [1.0; 3];
        let answers = [
            Gains.channel_gains(&mut data, &[0.5, 0.5]),
            Gains.channel_gains(&mut data, &[]),
            Gains.mix(&mut data, &[1.0; 4], 0.5),
        ];
        for answer in answers {
            assert_eq!(answer.unwrap_err().kind(), ErrorKind::InvalidInput);
        }
        assert_eq!(data, [1.0; 3]);
    }
}
