//! A test of one's own code that swaps a cache and an executor for doubles.

use std::sync::Arc;

use auralis::Optimizer;
use auralis::core::{ErrorKind, Result};
use auralis_testkit::doubles::{FailingAt, Recording};

/// The code under test: the peak of a song, which is worth keeping.
fn peak(optimizer: &Optimizer, song: &[f32]) -> Result<f32> {
    let largest = |song: &[f32]| song.iter().fold(0.0f32, |peak, x| peak.max(x.abs()));
    optimizer.cached("peak", 1, song, largest)
}

/// Two bands: the song and its negative, which cancel.
fn cancel(optimizer: &Optimizer, song: &[f32]) -> Result<Vec<f32>> {
    let same = |audio: &[f32], band: &mut [f32]| {
        band.copy_from_slice(audio);
        Ok(())
    };
    optimizer.process_bands(song, &[&same, &same], &[1.0, -1.0])
}

fn main() -> Result<()> {
    let real = Optimizer::default();
    let song = [0.25, -0.75, 0.5];

    let cache = Recording::new(Arc::clone(&real.parts().cache));
    let calls = cache.calls();
    let recorded = Optimizer::builder().with_cache(Arc::new(cache)).build()?;
    assert_eq!(peak(&recorded, &song)?, 0.75);
    assert_eq!(peak(&recorded, &song)?, 0.75);
    println!("the cache was asked: {:?}", calls.names());
    assert_eq!((calls.count("get") >= 2, calls.count("put")), (true, 1));

    let executor = FailingAt::new(Arc::clone(&real.parts().executor), 1);
    let failing = Optimizer::builder()
        .with_executor(Arc::new(executor))
        .build()?;
    let error = cancel(&failing, &song).unwrap_err();
    println!("the executor failed: {}", error.report());
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(cancel(&failing, &song)?, [0.0; 3]);
    Ok(())
}

#[test]
fn swaps() {
    main().unwrap();
}
