//! What crosses comes back as it is: descriptions, answers, errors, buffers and values.

use std::sync::{Arc, Mutex};
use std::thread;

use auralis_abi::{FloatControl, PluginBackend};
use auralis_core::{
    Accelerator, AudioBlockMut, Biquad, BufferPool, Bytes, Cache, Complex, Contents,
    ConvolutionMode, ConvolverSpec, ErrorKind, Executor, Kernel, Latency, Linked, OperationId,
    Profiler,
};
use fixture_backend::answers::answers;

use crate::{
    ALLOCATIONS, ARMED, BAD, GOOD, backend, faulty, linked, linked_of, plugin, remote, with,
};

#[test]
fn a_backend_is_described_as_it_describes_itself() {
    let plugin = plugin();
    assert_eq!(
        (plugin.name(), plugin.version()),
        ("auralis-abi", env!("CARGO_PKG_VERSION"))
    );
    let names: Vec<_> = plugin.backends().iter().map(PluginBackend::name).collect();
    assert_eq!(
        names,
        [
            "accelerator/faulty",
            "accelerator/fixture",
            "accelerator/panics-later",
            "accelerator/unavailable",
            "buffer_pool/faulty",
            "cache/faulty",
            "executor/faulty",
            "profiler/faulty",
        ]
    );
    described_as_linked::<dyn Accelerator>();
    described_as_linked::<dyn BufferPool>();
    described_as_linked::<dyn Cache>();
    described_as_linked::<dyn Executor>();
    described_as_linked::<dyn Profiler>();
}

fn described_as_linked<K: Linked + ?Sized>() {
    for descriptor in K::linked() {
        let backend = backend::<K>(descriptor.id);
        assert_eq!(backend.summary, descriptor.summary);
        assert_eq!(backend.version, descriptor.version);
        assert_eq!(backend.rank, descriptor.rank);
        assert_eq!(backend.requires, descriptor.requires);
        assert!(backend.requires_unknown.is_empty());
        assert_eq!(backend.capabilities, descriptor.capabilities);
        assert_eq!(backend.options_schema, descriptor.options_schema);
    }
}

#[test]
fn a_backend_is_built_as_what_it_is() {
    let cache = backend::<dyn Cache>("faulty");
    let error = with::<dyn Executor, _>("{}", |context| cache.build(context)).unwrap_err();
    assert_eq!(
        (error.kind(), error.message()),
        (
            ErrorKind::InvalidInput,
            "the backend is of the kind `cache`, not `executor`"
        )
    );
}

#[test]
fn answers_are_the_same_on_both_sides() {
    for options in ["{}", r#"{"trim": 0.25}"#] {
        let (linked, remote) = (
            linked("fixture", options).unwrap(),
            remote("fixture", options).unwrap(),
        );
        assert_eq!(linked.variant(), remote.variant());
        for n in [0, 1, 2, 3, 7, 16, 33, 101] {
            let (linked, remote) = (answers(&*linked, n), answers(&*remote, n));
            let names: Vec<_> = linked.iter().map(|(name, _)| *name).collect();
            assert_eq!(names, Kernel::NAMES);
            for (linked, remote) in linked.iter().zip(&remote) {
                assert_eq!(linked, remote, "length {n}");
            }
        }
    }
}

#[test]
fn errors_of_build_are_the_same_on_both_sides() {
    let cases = [
        (
            "fixture",
            r#"{"trin": 2}"#,
            ErrorKind::Config,
            "unknown field `trin`",
        ),
        (
            "fixture",
            r#"{"trim": "x"}"#,
            ErrorKind::Config,
            "invalid type: string",
        ),
        ("faulty", "3", ErrorKind::Config, "invalid type: integer"),
    ];
    for (id, options, kind, part) in cases {
        let (linked, remote) = (
            linked(id, options).unwrap_err(),
            remote(id, options).unwrap_err(),
        );
        assert_eq!(remote.kind(), kind);
        assert_eq!(remote.message(), linked.message());
        assert_eq!(remote.report(), linked.report());
        assert!(remote.report().contains(part), "{}", remote.report());
    }
    let error = remote("unavailable", "{}").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(
        error
            .report()
            .starts_with("the backend needs CPU features that it is not allowed")
    );
}

#[test]
fn an_error_keeps_its_kind_message_context_and_causes() {
    let (linked, remote) = (
        linked("faulty", ARMED).unwrap(),
        remote("faulty", ARMED).unwrap(),
    );
    let (linked, remote) = (
        linked.add(&mut [], &[]).unwrap_err(),
        remote.add(&mut [], &[]).unwrap_err(),
    );
    assert_eq!(remote.kind(), ErrorKind::Exhausted);
    assert_eq!(remote.to_string(), "can't add (left: 3, right: 4)");
    assert_eq!(remote.report(), linked.report());
}

#[test]
fn a_long_message_is_cut_at_the_end_of_the_buffer() {
    let remote = remote("faulty", ARMED).unwrap();
    let error = remote
        .convolve(&mut [], &[], &[], ConvolutionMode::Full)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(error.message(), "ä".repeat(512) + "...");
}

#[test]
fn a_buffer_crosses_whole_and_goes_back() {
    let pool = faulty::<dyn BufferPool>();
    assert!(!pool.is_real_time());
    assert_eq!(pool.stats().peak, 4);
    let mut buffer = pool.acquire(5, Contents::Zeroed).unwrap();
    assert_eq!((buffer.len(), buffer.capacity()), (5, 5));
    assert_eq!(buffer.as_ptr().addr() % auralis_core::ALIGNMENT, 0);
    buffer.fill(0.5);
    let before = FloatControl::read();
    drop(buffer);
    // The release of this one panics, and goes no further.
    drop(pool.acquire(7, Contents::Stale).unwrap());
    assert_eq!(FloatControl::read(), before);
    drop(pool.acquire(7, Contents::Stale).unwrap());

    // The host's words, not the plugin's, which it could not read without an allocation.
    let error = pool.acquire(0, Contents::Stale).unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (
            ErrorKind::Exhausted,
            "the plugin's buffer pool is exhausted"
        )
    );
}

/// Counts how often it is dropped.
struct Value(Arc<Mutex<usize>>);

impl AsRef<[u8]> for Value {
    fn as_ref(&self) -> &[u8] {
        b"some bytes"
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        *self.0.lock().unwrap() += 1;
    }
}

#[test]
fn a_value_is_given_back_once_whatever_becomes_of_it() {
    let dropped = Arc::new(Mutex::new(0));
    let value = || Bytes::from_owner(Value(Arc::clone(&dropped)));
    let cache = faulty::<dyn Cache>();
    // Not stored, then in the hands of what panics, then given to what is out of use.
    for (count, key) in [(1, GOOD), (2, BAD), (3, GOOD)] {
        cache.put(&key, value());
        assert_eq!(*dropped.lock().unwrap(), count);
    }
}

#[test]
fn the_floating_point_control_is_restored() {
    let before = FloatControl::read();
    assert_eq!(
        remote("faulty", ARMED)
            .unwrap()
            .sum_squares(&[2.0])
            .unwrap(),
        4.0
    );
    assert_eq!(FloatControl::read(), before);
    faulty::<dyn BufferPool>().stats();
    assert_eq!(FloatControl::read(), before);
    faulty::<dyn Cache>().stats();
    assert_eq!(FloatControl::read(), before);
    faulty::<dyn Profiler>().record(OperationId(1), 0, 0);
    assert_eq!(FloatControl::read(), before);
}

#[test]
fn a_call_that_succeeds_allocates_nothing() {
    let a = remote("fixture", "{}").unwrap();
    let mut data = [0.5; 64];
    let (src, mut wide) = ([0.25; 64], [0.0; 128]);
    let mut spectrum = [Complex::default(); 64];
    let spec = ConvolverSpec {
        impulse: &[1.0, 0.5],
        block: 8,
        latency: Latency::Zero,
    };
    let section = Biquad {
        b0: 1.0,
        b1: 0.0,
        b2: 0.0,
        a1: 0.0,
        a2: 0.0,
    };
    let mut convolver = a.plan_convolver(&spec).unwrap();
    let mut fir = a.plan_fir(&[1.0, 0.5]).unwrap();
    let mut biquads = a.plan_biquads(&[section], 2).unwrap();
    let mut fft = a.plan_complex_fft(64).unwrap();

    let before = ALLOCATIONS.get();
    a.scale(&mut data, 0.5).unwrap();
    a.dot(&data, &src).unwrap();
    a.interleave(&mut wide, &[&data, &src]).unwrap();
    convolver.process(&mut data, &src).unwrap();
    convolver.reset();
    fir.process(&mut data, &src).unwrap();
    biquads
        .process(&mut AudioBlockMut::new(&mut data, 2, 32, 32).unwrap())
        .unwrap();
    fft.forward(&mut spectrum).unwrap();
    // Neither does the answer of a kernel that a backend lacks: it is asked before it is composed.
    assert_eq!(a.peak(&data).unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(ALLOCATIONS.get(), before);

    // Composing the plugin's error allocates in the plugin, reading it would do so in the host.
    let pool = faulty::<dyn BufferPool>();
    let before = ALLOCATIONS.get();
    pool.acquire(0, Contents::Stale).unwrap_err();
    let of_plugin = ALLOCATIONS.get() - before;
    let linked = linked_of::<dyn BufferPool>("faulty", ARMED).unwrap();
    let before = ALLOCATIONS.get();
    linked.acquire(0, Contents::Stale).unwrap_err();
    assert_eq!(of_plugin, ALLOCATIONS.get() - before);

    let (executor, profiler) = (faulty::<dyn Executor>(), faulty::<dyn Profiler>());
    let before = ALLOCATIONS.get();
    executor.for_ranges(10, 3, &|_| {}).unwrap();
    profiler.record(OperationId(1), 0, 1);
    pool.prepare(1, 1).unwrap();
    assert_eq!(ALLOCATIONS.get(), before);
}

#[test]
fn many_threads_share_an_instance() {
    let accelerator = remote("fixture", "{}").unwrap();
    let expected = answers(&*accelerator, 33);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(answers(&*accelerator, 33), expected));
        }
    });
}
