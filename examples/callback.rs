//! A session in an audio callback; a loop stands for the driver.

use auralis::chain::{Chain, Gain, Limiter};
use auralis::core::Result;
use auralis::{Optimizer, Session, SessionSpec};

const CHANNELS: usize = 2;
const FRAMES: usize = 64;

fn main() -> Result<()> {
    // Before the stream starts: plans, buffers, threads.
    let optimizer = Optimizer::default();
    let chain = Chain::new(vec![
        Box::new(Gain { gain_db: 12.0 }),
        Box::new(Limiter {
            ceiling_dbtp: -1.0,
            lookahead_ms: 5.0,
            release_ms: 60.0,
        }),
    ])?;
    let spec = SessionSpec {
        sample_rate: 48_000,
        channels: CHANNELS,
        max_frames: FRAMES,
    };
    let mut session = Session::new(&chain, spec, optimizer.parts())?;

    // On the audio thread: no allocation, no lock, no system call, no panic.
    let mut callback = move |interleaved: &mut [f32]| {
        if session.process_interleaved(interleaved).is_err() {
            interleaved.fill(0.0);
        }
    };

    let mut loudest = 0.0f32;
    for block in 0..750 {
        let mut buffer = [0.0; CHANNELS * FRAMES];
        for (frame, samples) in buffer.chunks_mut(CHANNELS).enumerate() {
            let time = (block * FRAMES + frame) as f32 / 48_000.0;
            samples.fill(0.5 * (time * 440.0 * std::f32::consts::TAU).sin());
        }
        callback(&mut buffer);
        loudest = buffer.iter().fold(loudest, |peak, x| peak.max(x.abs()));
    }
    println!("a tone of 0.5, raised by 12 dB and limited to -1 dBTP, peaks at {loudest:.3}");
    assert!((0.85..0.8914).contains(&loudest));
    Ok(())
}

#[test]
fn runs() {
    main().unwrap();
}
