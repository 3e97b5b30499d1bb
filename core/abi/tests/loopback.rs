//! Both directions in one process: the backends of the fixture, exported and read back.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use auralis_abi::{FloatControl, Plugin, PluginBackend, PluginHeader, Remote, Status, wire};
use auralis_core::{
    Accelerator, Admission, AudioBlockMut, Biquad, BufferPool, BuildContext, Bytes, Cache, Complex,
    Contents, ConvolutionMode, ConvolverSpec, CpuFeatures, Error, ErrorKind, Executor, Kernel, Key,
    Kind, Latency, Linked, Operation, OperationId, Options, Profiler, Result,
};
use fixture_backend::answers::answers;

auralis_abi::export_plugin!(fixture_backend);

/// Counts what this thread allocates.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: the system's allocator does the work; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Without these options the backend `faulty` is not built.
const ARMED: &str = r#"{"armed": true}"#;

fn plugin() -> Plugin {
    // SAFETY: the header is our own, and a static.
    unsafe { Plugin::read(&auralis_plugin_v1) }.unwrap()
}

fn backend<K: Kind + ?Sized>(id: &str) -> PluginBackend {
    plugin()
        .backends()
        .iter()
        .find(|b| (b.kind.as_str(), b.id.as_str()) == (K::NAME, id))
        .unwrap()
        .clone()
}

fn with<K: Kind + ?Sized, T>(options: &str, run: impl FnOnce(&BuildContext<'_, K>) -> T) -> T {
    run(&BuildContext {
        options: &Options::new(serde_json::from_str(options).unwrap()),
        settings: &K::Settings::default(),
        cpu: CpuFeatures::detect(),
    })
}

fn remote_of<K: Remote + ?Sized>(id: &str, options: &str) -> Result<Arc<K>> {
    with(options, |context| backend::<K>(id).build(context))
}

fn linked_of<K: Linked + ?Sized>(id: &str, options: &str) -> Result<Arc<K>> {
    let all = K::linked();
    let descriptor = all.into_iter().find(|d| d.id == id).unwrap();
    with(options, |context| (descriptor.build)(context))
}

fn faulty<K: Remote + ?Sized>() -> Arc<K> {
    remote_of("faulty", ARMED).unwrap()
}

fn remote(id: &str, options: &str) -> Result<Arc<dyn Accelerator>> {
    remote_of(id, options)
}

fn linked(id: &str, options: &str) -> Result<Arc<dyn Accelerator>> {
    linked_of(id, options)
}

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

const GOOD: Key = Key::from_bytes([1; 32]);
const BAD: Key = Key::from_bytes([13; 32]);

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

#[test]
fn a_header_that_does_not_fit_is_refused() {
    fn header() -> PluginHeader {
        auralis_abi::export::header("other", "1.0.0", "unwind")
    }
    unsafe extern "C" fn nothing(_: wire::Text) -> *const wire::InterfaceHeader {
        std::ptr::null()
    }
    let cases = [
        (
            PluginHeader {
                magic: *b"aurelia\0",
                ..header()
            },
            "the plugin's header does not begin with the magic of auralis".to_owned(),
        ),
        (
            PluginHeader { abi: 2, ..header() },
            "the plugin speaks ABI 2, this host ABI 1".to_owned(),
        ),
        (
            PluginHeader {
                size: 24,
                ..header()
            },
            format!(
                "the plugin's header has 24 bytes, ABI 1 needs {}",
                size_of::<PluginHeader>()
            ),
        ),
        (
            PluginHeader {
                target: wire::Text::of_str("sparc-sun-solaris"),
                ..header()
            },
            format!(
                "the plugin was built for sparc-sun-solaris, this host for {}",
                auralis_abi::TARGET
            ),
        ),
        (
            PluginHeader {
                panic: wire::Text::of_str("abort"),
                ..header()
            },
            "the plugin was built with panic = \"abort\", which must be \"unwind\"".to_owned(),
        ),
        (
            PluginHeader {
                abi_stable: 12,
                ..header()
            },
            "the plugin describes its layouts by abi_stable 0.12, this host reads 0.11".to_owned(),
        ),
        (
            PluginHeader {
                get_interface: None,
                ..header()
            },
            "the plugin's header has no `get_interface`".to_owned(),
        ),
        (
            PluginHeader {
                get_interface: Some(nothing),
                ..header()
            },
            "the plugin does not serve the interface `backends/1`".to_owned(),
        ),
    ];
    for (header, message) in &cases {
        // SAFETY: the header is a value of our own, its functions are those of this crate.
        let error = unsafe { Plugin::read(header) }.unwrap_err();
        assert_eq!(
            (error.kind(), error.message()),
            (ErrorKind::Plugin, message.as_str())
        );
    }
    // SAFETY: null is looked at only.
    assert!(unsafe { Plugin::read(std::ptr::null()) }.is_err());
}

#[test]
fn a_plugin_without_layout_descriptions_is_held_to_sizes() {
    let header = PluginHeader {
        abi_stable: 0,
        ..auralis_abi::export::header("again", "1.0.0", "unwind")
    };
    // SAFETY: the header is our own.
    let plugin = unsafe { Plugin::read(&header) }.unwrap();
    assert_eq!(plugin.backends().len(), 8);
}

#[test]
fn an_interface_that_is_missing_is_named() {
    unsafe extern "C" fn no_caches(name: wire::Text) -> *const wire::InterfaceHeader {
        // SAFETY: the host gives a text.
        match unsafe { name.open_str() } {
            Ok("cache/1") => std::ptr::null(),
            // SAFETY: as above.
            _ => unsafe { auralis_abi::export::get_interface(name) },
        }
    }
    let header = PluginHeader {
        get_interface: Some(no_caches),
        ..auralis_abi::export::header("cacheless", "1.0.0", "unwind")
    };
    // SAFETY: the header is our own.
    let error = unsafe { Plugin::read(&header) }.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Plugin);
    assert_eq!(
        error.to_string(),
        "the plugin does not serve the interface `cache/1` (backend: cache/faulty)"
    );
}

#[test]
fn unknown_statuses_and_kinds_are_faults_of_the_plugin() {
    assert_eq!(Status::OK.kind(), None);
    assert_eq!(Status(4711).kind(), Some(ErrorKind::Plugin));
    for code in 1..=11 {
        let status = Status(code);
        assert_eq!(Status::of(status.kind().unwrap()), status);
    }
}

#[test]
fn foreign_slices_are_checked_before_they_are_used() {
    let null = wire::Slice::<f32> {
        ptr: std::ptr::null(),
        len: 0,
    };
    // SAFETY: nothing is behind an empty slice, and the others are refused.
    unsafe {
        assert_eq!(null.open().unwrap(), [0.0; 0]);
        assert!(wire::Slice { len: 1, ..null }.open().is_err());
        let odd = wire::Slice {
            ptr: std::ptr::without_provenance::<f32>(1),
            len: 1,
        };
        assert!(odd.open().is_err());
        assert!(
            wire::Slice {
                ptr: &raw const ALIGNED,
                len: usize::MAX / 2
            }
            .open()
            .is_err()
        );
        assert!(wire::WindowCode(9).open().is_err());
    }
}

static ALIGNED: f32 = 0.0;
