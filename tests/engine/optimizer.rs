//! The orchestrator: what it offers, and that its parts can be swapped for doubles.

use std::f64::consts::TAU;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use auralis::Optimizer;
use auralis::optimizer::BandFilter;
use auralis_core::{Bytes, Cache, ConvolutionMode, Error, ErrorKind, Executor};
use auralis_testkit::doubles::{FailingAt, Recording, Slow};

use crate::signals::{noise, optimizer};

#[test]
fn the_fft_is_the_sum_that_defines_it() {
    let optimizer = optimizer(&[]);
    for len in [1, 2, 7, 64, 100, 243] {
        let audio = noise(len as u64, len);
        // Twice: the plan is kept.
        optimizer.fft(&audio).unwrap();
        let spectrum = optimizer.fft(&audio).unwrap();
        assert_eq!(spectrum.len(), len);
        for (k, bin) in spectrum.iter().enumerate() {
            let (mut re, mut im) = (0.0, 0.0);
            for (n, &x) in audio.iter().enumerate() {
                let angle = -TAU * (k * n % len) as f64 / len as f64;
                re += f64::from(x) * angle.cos();
                im += f64::from(x) * angle.sin();
            }
            let off = (f64::from(bin.re) - re).hypot(f64::from(bin.im) - im);
            assert!(
                off <= 1e-5 * (len as f64).sqrt(),
                "{len} points, bin {k}: off by {off}"
            );
        }
    }
    assert_eq!(
        optimizer.fft(&[]).unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
}

#[test]
fn convolutions_have_the_part_that_is_asked() {
    let optimizer = optimizer(&[]);
    for (signal_len, kernel_len) in [(50, 7), (50, 8), (5, 9), (1, 1)] {
        let (signal, kernel) = (noise(1, signal_len), noise(2, kernel_len));
        let mut full = vec![0.0; signal_len + kernel_len - 1];
        for (i, &s) in signal.iter().enumerate() {
            for (j, &k) in kernel.iter().enumerate() {
                full[i + j] += f64::from(s) * f64::from(k);
            }
        }
        let same = (kernel_len - 1) / 2;
        let valid = if kernel_len > signal_len {
            0..0
        } else {
            kernel_len - 1..signal_len
        };
        let cases = [
            (ConvolutionMode::Full, 0..full.len()),
            (ConvolutionMode::Same, same..same + signal_len),
            (ConvolutionMode::Valid, valid),
        ];
        for (mode, part) in cases {
            let found = optimizer.convolve(&signal, &kernel, mode).unwrap();
            assert_eq!(found.len(), part.len(), "{mode:?}");
            for (found, expected) in found.iter().zip(&full[part]) {
                assert!((f64::from(*found) - expected).abs() <= 1e-5, "{mode:?}");
            }
        }
    }
    for (signal, kernel) in [(&[][..], &[1.0][..]), (&[1.0], &[])] {
        let error = optimizer
            .convolve(signal, kernel, ConvolutionMode::Full)
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}

#[test]
fn gains_are_per_channel() {
    let optimizer = optimizer(&[]);
    let mut audio = vec![1.0; 6];
    optimizer.apply_gain(&mut audio, &[2.0, 0.5]).unwrap();
    assert_eq!(audio, [2.0, 0.5, 2.0, 0.5, 2.0, 0.5]);
    optimizer.apply_gain(&mut audio, &[2.0]).unwrap();
    assert_eq!(audio, [4.0, 1.0, 4.0, 1.0, 4.0, 1.0]);
    let error = optimizer.apply_gain(&mut audio, &[1.0; 4]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(audio, [4.0, 1.0, 4.0, 1.0, 4.0, 1.0]);
}

#[test]
fn a_quiet_tail_after_loud_audio_is_not_zero() {
    let mut audio = vec![1.0; 3000];
    audio.extend(vec![1e-4; 3000]);
    let optimizer = optimizer(&[]);
    let rms = optimizer.moving_rms(&audio, 256).unwrap();
    assert_eq!(rms.len(), audio.len() - 255);
    assert!(
        rms[3000..].iter().all(|x| (x / 1e-4 - 1.0).abs() < 1e-3),
        "{}",
        rms[5000]
    );
    for window in [0, 6001] {
        let error = optimizer.moving_rms(&audio, window).unwrap_err();
        assert_eq!(
            error.kind(),
            ErrorKind::InvalidInput,
            "a window of {window}"
        );
    }
}

#[test]
fn bands_are_filtered_at_once_and_summed_in_order() {
    let scaled = |factor: f32| {
        move |audio: &[f32], band: &mut [f32]| {
            band.iter_mut()
                .zip(audio)
                .for_each(|(b, a)| *b = factor * a);
            Ok(())
        }
    };
    let (once, twice) = (scaled(1.0), scaled(2.0));
    let failing = |_: &[f32], _: &mut [f32]| {
        Err(Error::new(
            ErrorKind::InvalidInput,
            "the filter is unstable",
        ))
    };
    let panicking = |_: &[f32], _: &mut [f32]| panic!("a filter gave up");
    for executor in ["sequential", "rayon", "pinned"] {
        let optimizer = optimizer(&[&format!("executor.backend={executor}")]);
        let run = |filters: &[&BandFilter<'_>], gains: &[f32]| {
            optimizer.process_bands(&[1.0, -2.0], filters, gains)
        };
        assert_eq!(run(&[&once, &twice], &[1.0, 0.5]).unwrap(), [2.0, -4.0]);
        assert_eq!(run(&[], &[]).unwrap(), [0.0, 0.0]);

        let mismatch = run(&[&once, &twice], &[1.0]).unwrap_err();
        assert_eq!(
            mismatch.report(),
            "there must be one gain for each filter (filters: 2, gains: 1)"
        );
        let failed = run(&[&once, &failing, &twice], &[1.0; 3]).unwrap_err();
        assert_eq!(failed.report(), "the filter is unstable (band: 1)");
        let panicked = run(&[&once, &twice, &panicking], &[1.0; 3]).unwrap_err();
        assert_eq!(panicked.kind(), ErrorKind::Panicked);
        let report = panicked.report();
        assert!(
            report.contains("a filter gave up") && report.contains("band: 2"),
            "{report}"
        );
        // The pool survives.
        assert_eq!(run(&[&once], &[3.0]).unwrap(), [3.0, -6.0]);
    }
}

#[test]
fn cached_results_are_those_of_their_arguments() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    fn energy(audio: &[f32]) -> f64 {
        CALLS.fetch_add(1, Ordering::Relaxed);
        audio.iter().map(|&x| f64::from(x).powi(2)).sum()
    }
    let optimizer = optimizer(&[]);
    let (one, other) = (noise(1, 1000), noise(2, 1000));
    let ask = |version, audio: &[f32]| optimizer.cached("energy", version, audio, energy).unwrap();
    let first = ask(1, &one);
    assert_eq!((ask(1, &one), CALLS.load(Ordering::Relaxed)), (first, 1));
    assert_ne!(ask(1, &other), first);
    assert_eq!((ask(2, &one), CALLS.load(Ordering::Relaxed)), (first, 3));
    let stats = optimizer.stats();
    let (namespace, watch) = &stats.cached[0];
    assert_eq!(
        (namespace.as_str(), watch.calls, watch.hits),
        ("energy", 4, 1)
    );
    assert_eq!((stats.cache.hits, stats.cache.entries), (1, 3));

    // The same name for a result of another size.
    let error = optimizer.cached("energy", 1, &one[..], |_| vec![0u8; 3]);
    assert_eq!(error.unwrap(), first.to_le_bytes());
    let error = optimizer
        .cached("energy", 1, &one[..], |_| 0.0f32)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.report().contains("namespace: energy"), "{error}");

    let panicked = optimizer
        .cached::<_, f32>("panic", 1, &1u32, |_| panic!("no result"))
        .unwrap_err();
    assert_eq!(panicked.kind(), ErrorKind::Panicked);
    assert_eq!(
        optimizer.cached("panic", 1, &1u32, |_| 2.0f32).unwrap(),
        2.0
    );
}

#[test]
fn a_cache_that_costs_more_than_the_work_is_asked_no_more() {
    let optimizer = optimizer(&[]);
    let bypassed = |namespace: &str| {
        let stats = optimizer.stats();
        let watch = stats.cached.iter().find(|(name, _)| name == namespace);
        watch.unwrap().1.bypassed
    };
    let large = vec![0u8; 1 << 18];
    for _ in 0..40 {
        let len = optimizer.cached("length", 1, &large, |bytes| bytes.len() as u64);
        assert_eq!(len.unwrap(), 1 << 18);
    }
    assert!(
        bypassed("length"),
        "the digest of 256 KiB was worth a length"
    );
    for _ in 0..40 {
        let slow = optimizer.cached("slow", 1, &7u32, |&x| {
            thread::sleep(Duration::from_millis(20));
            x
        });
        assert_eq!(slow.unwrap(), 7);
    }
    assert!(
        !bypassed("slow"),
        "20 ms of work are not worth a key of four bytes"
    );
}

#[test]
fn the_parts_can_be_swapped_for_doubles() {
    let real = optimizer(&["cache.backend=lru", "executor.backend=sequential"]);
    let with_cache =
        |cache: Arc<dyn Cache>| Optimizer::builder().with_cache(cache).build().unwrap();
    let length = |optimizer: &Optimizer| {
        let length = optimizer.cached("length", 1, "four", |text| text.len() as u64);
        length.unwrap()
    };

    let recording = Recording::new(Arc::clone(&real.parts().cache));
    let calls = recording.calls();
    let recorded = with_cache(Arc::new(recording));
    assert_eq!(length(&recorded), 4);
    // The key is looked up once more when no other thread is at work on it.
    assert_eq!(calls.names(), ["get", "get", "put"]);
    assert_eq!(length(&recorded), 4);
    assert_eq!(calls.names(), ["get", "get", "put", "get"]);
    assert_eq!(recorded.stats().cache.hits, 1);
    // A part that was put in by hand was not selected.
    assert!(recorded.selections().iter().all(|s| s.kind != "cache"));
    recorded.sweep();
    assert_eq!(calls.count("sweep"), 1);

    // A cache in trouble costs time, not the result.
    for failing_call in 1..=4 {
        real.parts().cache.remove(
            &auralis_core::KeyBuilder::new("length", 1)
                .argument("four")
                .finish(),
        );
        let failing = FailingAt::new(Arc::clone(&real.parts().cache), failing_call);
        let optimizer = with_cache(Arc::new(failing));
        assert_eq!((length(&optimizer), length(&optimizer)), (4, 4));
    }
    let slow = Slow::new(Arc::clone(&real.parts().cache), Duration::from_millis(1));
    assert_eq!(length(&with_cache(Arc::new(slow))), 4);

    let executor: Arc<dyn Executor> = Arc::clone(&real.parts().executor);
    let failing = FailingAt::new(executor, 2);
    let optimizer = Optimizer::builder()
        .with_executor(Arc::new(failing))
        .build()
        .unwrap();
    let copy = |audio: &[f32], band: &mut [f32]| {
        band.copy_from_slice(audio);
        Ok(())
    };
    let run = || optimizer.process_bands(&[1.0], &[&copy], &[2.0]);
    assert_eq!(run().unwrap(), [2.0]);
    let error = run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.report().contains("a planted failure"), "{error}");
    assert_eq!(run().unwrap(), [2.0]);
}

#[test]
fn buffers_come_from_the_pool_and_keep_its_budget() {
    let optimizer = optimizer(&["buffer_pool.capacity_mb=1"]);
    let buffer = optimizer.buffer(1000).unwrap();
    assert_eq!(
        (buffer.len(), buffer.iter().copied().fold(0.0, f32::max)),
        (1000, 0.0)
    );
    assert_eq!(optimizer.stats().buffer_pool.in_use, 1);
    drop(buffer);
    assert_eq!(optimizer.stats().buffer_pool.in_use, 0);
    let error = optimizer.buffer(1 << 20).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exhausted);
    assert!(optimizer.stats().buffer_pool.bytes <= 1 << 20);
}

#[test]
fn figures_are_of_everything_that_ran() {
    let optimizer = optimizer(&[]);
    for _ in 0..3 {
        assert_eq!(optimizer.profiled("work", || 7), 7);
    }
    let stats = serde_json::to_value(optimizer.stats()).unwrap();
    let text = stats["profile"].to_string();
    assert!(
        text.contains("\"work\"") && text.contains("\"count\":3"),
        "{text}"
    );
    let value = optimizer
        .cached("bytes", 1, &1u8, |_| Bytes::from_static(b"abc"))
        .unwrap();
    assert_eq!(value, "abc");
    optimizer.shutdown();
}
