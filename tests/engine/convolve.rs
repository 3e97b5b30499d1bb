//! The stage `convolve` against sums in double precision, and what it refuses.

use std::path::{Path, PathBuf};

use auralis::audio::{OutputFormat, OutputSpec, SampleFormat, Writer};
use auralis::chain::{Chain, Convolve, Stage};
use auralis::{Session, SessionSpec};
use auralis_core::{ErrorKind, Result};

use crate::signals::{amplitude, impulse, interleave, noise, optimizer, run, session};

const RATE: u32 = 48_000;

/// A response as a WAV file of 32-bit floats.
fn write(folder: &Path, name: &str, planes: &[Vec<f32>]) -> PathBuf {
    let path = folder.join(name);
    let spec = OutputSpec {
        sample_rate: RATE,
        channels: planes.len(),
        channel_mask: None,
        format: OutputFormat::Wav,
        sample: SampleFormat::Float32,
        frames: None,
        digest: false,
    };
    let mut writer = Writer::create(&path, &spec).unwrap();
    writer.write_f32(&interleave(planes)).unwrap();
    writer.finish().unwrap();
    path
}

fn stage(file: &Path, gain_db: f64, mix: f64) -> Convolve {
    Convolve {
        file: file.to_path_buf(),
        gain_db,
        mix,
    }
}

#[test]
fn noise_comes_out_as_by_direct_convolution() {
    let folder = tempfile::tempdir().unwrap();
    let short = write(folder.path(), "short.wav", &[noise(3, 20)]);
    let mono = write(folder.path(), "mono.wav", &[noise(4, 5000)]);
    let stereo = [noise(5, 3000), noise(6, 3000)];
    let stereo_file = write(folder.path(), "stereo.wav", &stereo);
    let same = |taps: Vec<f32>| [taps.clone(), taps];
    let cases = [
        (stage(&short, 0.0, 1.0), same(noise(3, 20))),
        (stage(&mono, -6.0, 1.0), same(noise(4, 5000))),
        (stage(&mono, 3.0, 0.25), same(noise(4, 5000))),
        (stage(&stereo_file, 0.0, 0.5), stereo),
        (stage(&stereo_file, 0.0, 0.0), same(impulse(1))),
    ];
    let input = [noise(1, 9000), noise(2, 9000)];
    for (stage, responses) in cases {
        let mut session = session(vec![Box::new(stage.clone())], RATE, 2);
        assert_eq!(session.latency(), 0);
        let output = run(&mut session, &input, &[512, 1, 63, 64, 441]);
        let wet = stage.mix * amplitude(stage.gain_db);
        for ((input, output), taps) in input.iter().zip(&output).zip(&responses) {
            assert_eq!(output.len(), input.len());
            let reach =
                1.0 - stage.mix + wet * taps.iter().map(|t| f64::from(t.abs())).sum::<f64>();
            // The kernel's own bound, and the rounding of the gain.
            let bound = 20.0 * f64::from(f32::EPSILON) * reach;
            for (n, &found) in output.iter().enumerate() {
                let sum: f64 = (0..taps.len().min(n + 1))
                    .map(|k| f64::from(taps[k]) * f64::from(input[n - k]))
                    .sum();
                let expected = wet * sum + (1.0 - stage.mix) * f64::from(input[n]);
                let off = (f64::from(found) - expected).abs();
                assert!(off <= bound, "{stage:?}, frame {n}: off by {off:e}");
            }
        }
    }
}

fn prepared(stage: Convolve, sample_rate: u32, channels: usize) -> Result<Session> {
    let spec = SessionSpec {
        sample_rate,
        channels,
        max_frames: 512,
    };
    let optimizer = optimizer(&[]);
    Session::new(&Chain::new(vec![Box::new(stage)])?, spec, optimizer.parts())
}

#[test]
fn what_does_not_fit_is_an_error_that_names_both() {
    let folder = tempfile::tempdir().unwrap();
    let mono = write(folder.path(), "mono.wav", &[impulse(8)]);
    let three = write(folder.path(), "three.wav", &vec![impulse(8); 3]);
    let empty = write(folder.path(), "empty.wav", &[vec![]]);
    let broken = write(folder.path(), "nan.wav", &[vec![1.0, f32::NAN]]);
    let missing = folder.path().join("missing.wav");
    let no_audio = folder.path().join("text.wav");
    std::fs::write(&no_audio, "no audio at all").unwrap();
    let cases: [(Convolve, u32, usize, &[&str]); 8] = [
        (
            stage(&mono, 0.0, 1.0),
            44_100,
            2,
            &["mono.wav", "48000 Hz", "44100 Hz"],
        ),
        (
            stage(&three, 0.0, 1.0),
            RATE,
            2,
            &["three.wav", "response: 3", "audio: 2"],
        ),
        (stage(&empty, 0.0, 1.0), RATE, 2, &["empty.wav"]),
        (
            stage(&broken, 0.0, 1.0),
            RATE,
            2,
            &["nan.wav", "NaN or infinity"],
        ),
        (
            stage(&missing, 0.0, 1.0),
            RATE,
            2,
            &["missing.wav", "can't be read"],
        ),
        (
            stage(&no_audio, 0.0, 1.0),
            RATE,
            2,
            &["text.wav", "can't be read"],
        ),
        (
            stage(&mono, 0.0, 1.5),
            RATE,
            2,
            &["a mix from 0 to 1", "1.5"],
        ),
        (stage(&mono, f64::NAN, 1.0), RATE, 2, &["a finite gain"]),
    ];
    for (stage, rate, channels, expected) in cases {
        let error = prepared(stage, rate, channels).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{}", error.report());
        for part in expected {
            assert!(
                error.report().contains(part),
                "{part:?}: {}",
                error.report()
            );
        }
    }
    let error = stage(&missing, 0.0, 1.0).check().unwrap_err();
    assert!(error.report().contains("missing.wav"), "{}", error.report());
}
