//! The orchestrator in fifteen lines: chosen backends, a result that is cached, and figures.

use auralis::Optimizer;
use auralis::core::Result;

fn main() -> Result<()> {
    let optimizer = Optimizer::default();
    let mut audio: Vec<f32> = (0..48_000).map(|n| (n as f32 * 0.05).sin()).collect();

    optimizer.apply_gain(&mut audio, &[0.5])?;
    let rms =
        |audio: &[f32]| (audio.iter().map(|x| x * x).sum::<f32>() / audio.len() as f32).sqrt();
    for _ in 0..2 {
        let level: f32 = optimizer.cached("rms", 1, &audio[..], rms)?;
        println!("RMS: {level:.4}");
    }
    let bins = optimizer.profiled("spectrum", || optimizer.fft(&audio[..1024]))?;
    let stats = optimizer.stats();
    println!("{} bins, {} cache hit", bins.len(), stats.cache.hits);
    assert_eq!((bins.len(), stats.cache.hits), (1024, 1));
    Ok(())
}

#[test]
fn runs() {
    main().unwrap();
}
