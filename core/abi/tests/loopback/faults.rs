//! What panics or goes astray on one side stays there, and is out of use.

use std::ops::Range;
use std::sync::Mutex;
use std::time::Duration;

use auralis_abi::{FloatControl, Remote};
use auralis_core::{
    Accelerator, Admission, BufferPool, Bytes, Cache, Contents, Error, ErrorKind, Executor,
    Operation, OperationId, Profiler, Result,
};

use crate::{ARMED, BAD, GOOD, faulty, linked_of, remote, remote_of};

#[test]
fn a_panic_puts_an_instance_out_of_use() {
    let instance = || remote("faulty", ARMED).unwrap();
    type Run = fn(&dyn Accelerator) -> Result<()>;
    let panics: [(&str, Run); 2] = [
        ("a panic in the plugin: no gain for 3 samples", |a| {
            a.scale(&mut [0.0; 3], f32::NAN)
        }),
        ("a panic in the plugin: it gave no text", |a| {
            a.mul(&mut [], &[])
        }),
    ];
    for (message, run) in panics {
        let accelerator = instance();
        accelerator.scale(&mut [], 1.0).unwrap();
        let error = run(&*accelerator).unwrap_err();
        assert_eq!(
            (error.kind(), error.message()),
            (ErrorKind::Panicked, message)
        );
        let backend = Some(("accelerator", "faulty"));
        assert_eq!(error.faulty_backend(), backend);
        let later = accelerator.scale(&mut [], 1.0).unwrap_err();
        assert_eq!(later.kind(), ErrorKind::Panicked);
        assert_eq!(later.faulty_backend(), backend);
        assert_eq!(
            later.message(),
            "out of use, because an earlier call of it panicked in the plugin"
        );
        instance().scale(&mut [], 1.0).unwrap();
    }
}

#[test]
fn a_panic_puts_a_plan_out_of_use_and_nothing_else() {
    let accelerator = remote("faulty", ARMED).unwrap();
    let mut fir = accelerator.plan_fir(&[1.0]).unwrap();
    fir.process(&mut [], &[]).unwrap();
    let error = fir.process(&mut [0.0], &[0.0]).unwrap_err();
    assert_eq!(
        error.message(),
        "a panic in the plugin: this filter takes nothing"
    );
    assert_eq!(error.faulty_backend(), Some(("accelerator", "faulty")));
    assert_eq!(
        fir.process(&mut [], &[]).unwrap_err().kind(),
        ErrorKind::Panicked
    );
    let mut other = accelerator.plan_fir(&[1.0]).unwrap();
    other.reset();
    assert_eq!(
        other.process(&mut [], &[]).unwrap_err().kind(),
        ErrorKind::Panicked
    );
    // Its drop panics in the plugin and goes no further.
    drop(accelerator.plan_fir(&[1.0]).unwrap());
    accelerator.scale(&mut [], 1.0).unwrap();
}

#[test]
fn panics_while_building_and_dropping_go_no_further() {
    breaks_at_its_ends::<dyn Accelerator>();
    breaks_at_its_ends::<dyn BufferPool>();
    breaks_at_its_ends::<dyn Cache>();
    breaks_at_its_ends::<dyn Executor>();
    breaks_at_its_ends::<dyn Profiler>();
}

fn breaks_at_its_ends<K: Remote + ?Sized>() {
    let outcome = remote_of::<K>("faulty", r#"{"armed": true, "panic_in_build": true}"#);
    let error = outcome.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Panicked);
    assert_eq!(
        error.message(),
        "a panic in the plugin: told to panic in build"
    );
    assert_eq!(error.faulty_backend(), Some((K::NAME, "faulty")));
    drop(
        remote_of::<K>("faulty", r#"{"armed": true, "panic_in_drop": true}"#)
            .unwrap_or_else(|e| panic!("{e}")),
    );
}

const OUT_OF_USE: &str = "out of use, because an earlier call of it panicked in the plugin";

#[test]
fn a_buffer_pool_that_panics_is_out_of_use() {
    let acquire = |pool: &dyn BufferPool, len| pool.acquire(len, Contents::Zeroed);
    type Run = fn(&dyn BufferPool) -> Error;
    let panics: [(&str, Run); 2] = [
        ("a panic in the plugin: 13 buffers are too many", |pool| {
            pool.prepare(1, 13).unwrap_err()
        }),
        ("a panic in the plugin: 13 samples are unlucky", |pool| {
            pool.acquire(13, Contents::Stale).unwrap_err()
        }),
    ];
    for (message, run) in panics {
        let pool = faulty::<dyn BufferPool>();
        let lent = acquire(&*pool, 5).unwrap();
        let error = run(&*pool);
        assert_eq!(
            (error.kind(), error.message()),
            (ErrorKind::Panicked, message)
        );
        assert_eq!(error.faulty_backend(), Some(("buffer_pool", "faulty")));
        let later = acquire(&*pool, 5).unwrap_err();
        assert_eq!(
            (later.message(), later.faulty_backend()),
            (OUT_OF_USE, Some(("buffer_pool", "faulty")))
        );
        assert_eq!(pool.stats(), Default::default());
        drop(pool);
        assert_eq!(*lent, [0.0; 5]);
    }
}

#[test]
fn a_cache_that_panics_misses_and_refuses() {
    type Run = fn(&dyn Cache);
    let panics: [Run; 3] = [
        |cache| assert_eq!(cache.get(&BAD), None),
        |cache| {
            assert_eq!(
                cache.put(&BAD, Bytes::from_static(b"x")),
                Admission::Refused
            )
        },
        |cache| assert!(!cache.remove(&BAD)),
    ];
    for run in panics {
        let cache = faulty::<dyn Cache>();
        assert_eq!(cache.get(&GOOD).unwrap(), "a value");
        assert_eq!(cache.put(&GOOD, Bytes::new()), Admission::TooLarge);
        assert!(cache.remove(&GOOD));
        assert_eq!(cache.sweep(), 3);
        let stats = cache.stats();
        assert_eq!((stats.hits, stats.errors), (5, 2));
        run(&*cache);
        assert_eq!(cache.get(&GOOD), None);
        assert_eq!(cache.put(&GOOD, Bytes::new()), Admission::Refused);
        assert!(!cache.remove(&GOOD));
        assert_eq!(cache.sweep(), 0);
        // Five calls above, and that of the figures themselves.
        assert_eq!(cache.stats().errors, 6);
    }
}

#[test]
fn an_executor_that_panics_is_out_of_use() {
    let executor = faulty::<dyn Executor>();
    executor.for_ranges(5, 2, &|_| {}).unwrap();
    let error = executor.for_ranges(13, 1, &|_| {}).unwrap_err();
    assert_eq!(
        (error.kind(), error.message(), error.faulty_backend()),
        (
            ErrorKind::Panicked,
            "a panic in the plugin: 13 indices are unlucky",
            Some(("executor", "faulty"))
        )
    );
    let later = executor.for_ranges(5, 1, &|_| {}).unwrap_err();
    assert_eq!(
        (later.message(), later.faulty_backend()),
        (OUT_OF_USE, Some(("executor", "faulty")))
    );
    assert!(!executor.is_real_time());
    assert_eq!(faulty::<dyn Executor>().threads(), 1);
}

#[test]
fn an_executor_that_goes_astray_is_found_out() {
    let executor = faulty::<dyn Executor>();
    // It leaves out the last range, leads it beyond the end, runs it twice, splits it.
    for len in 14..18 {
        let seen = Mutex::new(Vec::new());
        let task = |range: Range<usize>| seen.lock().unwrap().extend(range);
        let error = executor.for_ranges(len, 4, &task).unwrap_err();
        assert_eq!(
            (error.kind(), error.message(), error.faulty_backend()),
            (
                ErrorKind::Plugin,
                "the plugin's executor did not cover 0..len once",
                Some(("executor", "faulty"))
            )
        );
        let seen = seen.into_inner().unwrap();
        assert!(seen.iter().all(|index| *index < len), "{seen:?}");
        assert!(seen.len() <= len, "{seen:?}");
    }
    executor.for_ranges(10, 4, &|_| {}).unwrap();
    executor.for_ranges(0, 0, &|_| {}).unwrap();

    for (threads, counted) in [(0, 1), (3, 3)] {
        let options = format!(r#"{{"armed": true, "threads": {threads}}}"#);
        let executor = remote_of::<dyn Executor>("faulty", &options).unwrap();
        assert_eq!(executor.threads(), counted);
    }
}

/// A panic payload whose own drop panics.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        std::panic::resume_unwind(Box::new("the payload was dropped"));
    }
}

#[test]
fn a_panic_of_the_host_s_task_stays_with_the_host() {
    let (linked, remote) = (
        linked_of::<dyn Executor>("faulty", ARMED).unwrap(),
        faulty::<dyn Executor>(),
    );
    let control = FloatControl::read();
    for executor in [linked, remote] {
        let seen = Mutex::new(Vec::new());
        let error = executor
            .for_ranges(10, 3, &|range| {
                seen.lock().unwrap().push(range.clone());
                if range.start != 6 {
                    std::panic::resume_unwind(Box::new("planted"));
                }
            })
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "a task panicked (range: 0..3, panic: planted)"
        );
        assert_eq!(seen.into_inner().unwrap(), [9..10, 6..9, 3..6, 0..3]);
        executor.for_ranges(5, 1, &|_| {}).unwrap();
        control.restore();
    }
    let remote = faulty::<dyn Executor>();
    // The executor changes the control, the task runs with that of its caller.
    let found = Mutex::new(None);
    remote
        .for_ranges(1, 1, &|_| {
            *found.lock().unwrap() = Some(FloatControl::read())
        })
        .unwrap();
    assert_eq!(*found.lock().unwrap(), Some(control));
    assert_eq!(FloatControl::read(), control);

    let bomb = |_| std::panic::resume_unwind(Box::new(Bomb));
    let error = remote.for_ranges(1, 1, &bomb).unwrap_err();
    assert_eq!(error.to_string(), "a task panicked (range: 0..1)");
    assert_eq!(error.faulty_backend(), None);
}

#[test]
fn a_profiler_that_panics_is_out_of_use() {
    type Run = fn(&dyn Profiler);
    let panics: [Run; 2] = [
        |profiler| profiler.record(OperationId(13), 1, 2),
        |profiler| assert_eq!(profiler.events(), []),
    ];
    for run in panics {
        let profiler = faulty::<dyn Profiler>();
        let operation = Operation {
            name: "four",
            period: Some(Duration::MAX),
        };
        assert_eq!(profiler.register(&operation), OperationId(4));
        profiler.record(OperationId(4), 1, 2);
        assert_eq!(profiler.report().unnamed, 6);
        run(&*profiler);
        assert_eq!(profiler.register(&operation), OperationId(u32::MAX));
        profiler.record(OperationId(4), 1, 2);
        assert_eq!(profiler.report(), Default::default());
        assert_eq!(profiler.events(), []);
    }
}
