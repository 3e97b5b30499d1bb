//! Chains as data, and sessions that refuse what they were not prepared for.

use auralis::chain::Chain;
use auralis::{Session, SessionSpec};
use auralis_core::{AudioBlockMut, ErrorKind, FloatControl};
use serde_json::json;

use crate::signals::{noise, optimizer, run};

fn every_stage() -> Chain {
    Chain::from_tables(&[
        json!({"stage": "equalizer", "bands": [{"hz": 100.0, "gain_db": 3.0, "shape": "low_shelf"}]}),
        json!({"stage": "gain", "gain_db": 2.0}),
        json!({"stage": "multiband", "crossovers_hz": [500.0], "gains_db": [1.0, -1.0], "taps": 65}),
        json!({"stage": "loudness"}),
        json!({"stage": "limiter"}),
    ])
    .unwrap()
}

#[test]
fn a_chain_survives_json() {
    let json = every_stage().to_json();
    let again = Chain::from_tables(json.as_array().unwrap()).unwrap();
    assert_eq!(again.to_json(), json);
    let names: Vec<_> = again.stages().iter().map(|s| s.typetag_name()).collect();
    assert_eq!(
        names,
        ["equalizer", "gain", "multiband", "loudness", "limiter"]
    );
    // Every default is written out: a record of the work depends on it.
    assert_eq!(json[3]["target_lufs"], -14.0);
    assert_eq!(json[4]["release_ms"], 40.0);
}

#[test]
fn a_spec_of_nothing_is_refused() {
    let optimizer = optimizer(&[]);
    for (sample_rate, channels, max_frames) in [
        (0, 2, 64),
        (48_000, 0, 64),
        (48_000, 65, 64),
        (48_000, 2, 0),
    ] {
        let spec = SessionSpec {
            sample_rate,
            channels,
            max_frames,
        };
        let error = optimizer.session(spec).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{spec:?}");
        assert!(
            error.report().contains(&format!("channels: {channels}")),
            "{error}"
        );
    }
}

#[test]
fn a_block_that_does_not_fit_stays_as_it_was() {
    let spec = SessionSpec {
        sample_rate: 48_000,
        channels: 2,
        max_frames: 64,
    };
    let mut session = Session::new(&every_stage(), spec, optimizer(&[]).parts()).unwrap();
    for (channels, frames) in [(1, 64), (3, 64), (2, 65), (2, 1000)] {
        let before = noise(1, channels * frames);
        let mut block = before.clone();
        let view = AudioBlockMut::new(&mut block, channels, frames, frames).unwrap();
        let error = session.process(view).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(
            block == before,
            "{channels} channels of {frames} frames were touched"
        );
    }
    for len in [1, 127, 130] {
        let before = noise(2, len);
        let mut block = before.clone();
        let error = session.process_interleaved(&mut block).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(block == before, "{len} samples were touched");
    }
    session.process_interleaved(&mut [0.5; 128]).unwrap();
    session.process_interleaved(&mut []).unwrap();
}

#[test]
fn planar_and_interleaved_audio_come_out_alike() {
    let spec = SessionSpec {
        sample_rate: 48_000,
        channels: 2,
        max_frames: 64,
    };
    let parts = optimizer(&[]);
    let prepare = || Session::new(&every_stage(), spec, parts.parts()).unwrap();
    let input = [noise(3, 2000), noise(4, 2000)];
    let planar = run(&mut prepare(), &input, &[64]);
    let mut session = prepare();
    // What came before a reset leaves no trace.
    session.process_interleaved(&mut noise(5, 100)).unwrap();
    session.reset();
    let len = planar[0].len();
    let sample = |channel: usize, n: usize| input[channel].get(n).copied().unwrap_or_default();
    let mut samples: Vec<f32> = (0..len)
        .flat_map(|n| [sample(0, n), sample(1, n)])
        .collect();
    for block in samples.chunks_mut(2 * 41) {
        session.process_interleaved(block).unwrap();
    }
    let worst = (0..len)
        .flat_map(|n| {
            [
                samples[2 * n] - planar[0][n],
                samples[2 * n + 1] - planar[1][n],
            ]
        })
        .fold(0.0, |worst: f32, off| worst.max(off.abs()));
    // Convolution by blocks of other sizes rounds otherwise.
    assert!(worst <= 2e-6, "{worst}");
}

/// Denormal samples pass through a gain as zeros, and the caller keeps its own setting.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[test]
fn denormals_are_zero_in_a_session_and_nowhere_else() {
    let chain = Chain::from_tables(&[json!({"stage": "gain", "gain_db": -6.0})]).unwrap();
    let spec = SessionSpec {
        sample_rate: 48_000,
        channels: 2,
        max_frames: 64,
    };
    let engine = optimizer(&[]);
    let mut session = Session::new(&chain, spec, engine.parts()).unwrap();
    let before = FloatControl::read();
    let mut planar = vec![1e-40f32; 128];
    let block = AudioBlockMut::new(&mut planar, 2, 64, 64).unwrap();
    session.process(block).unwrap();
    let mut interleaved = vec![1e-40f32; 128];
    session.process_interleaved(&mut interleaved).unwrap();
    assert_eq!(FloatControl::read(), before);
    for samples in [planar, interleaved] {
        assert!(samples.iter().all(|sample| sample.to_bits() << 1 == 0));
    }
    let kept = std::hint::black_box(1e-40f32) * std::hint::black_box(0.5);
    assert!(kept.to_bits() != 0);
}
