//! The doubles, over backends of each kind.

use std::sync::Arc;
use std::time::{Duration, Instant};

use auralis_buffer_pool as _;
use auralis_cache as _;
use auralis_core::{
    Accelerator, Admission, BufferPool, BuildContext, Bytes, Cache, Complex, Contents,
    ConvolutionMode, ConvolverSpec, CpuFeatures, ErrorKind, Executor, ExecutorExt, Kernel, Key,
    Kind, Latency, Linked, Operation, Options, Origin, Profiler, Result, SingleFlight, Window,
    for_each_plan, for_each_slice_kernel,
};
use auralis_executor as _;
use auralis_profiler as _;
use auralis_testkit::doubles::{Call, FailingAt, Recording, Slow};

fn backend<K: Linked + ?Sized>(id: &str) -> Arc<K> {
    let linked = K::linked();
    let descriptor = linked
        .iter()
        .find(|descriptor| descriptor.id == id)
        .unwrap();
    (descriptor.build)(&BuildContext {
        options: &Options::default(),
        settings: &<K as Kind>::Settings::default(),
        cpu: CpuFeatures::NONE,
    })
    .unwrap()
}

fn key() -> Key {
    Key::from_bytes([7; 32])
}

fn call(method: &'static str, sizes: &[usize]) -> Call {
    let sizes = sizes.to_vec();
    Call { method, sizes }
}

#[test]
fn a_recorded_cache_under_a_single_flight() {
    let cache = Recording::new(backend::<dyn Cache>("lru"));
    let calls = cache.calls();
    let flight = SingleFlight::new(Arc::new(cache));
    let compute = || Ok(Bytes::from_static(b"value"));
    assert_eq!(
        flight.get_or_compute(&key(), compute).unwrap().1,
        Origin::Computed
    );
    assert_eq!(
        flight.get_or_compute(&key(), compute).unwrap().1,
        Origin::Hit
    );
    let list = [
        call("get", &[]),
        call("get", &[]),
        call("put", &[5]),
        call("get", &[]),
    ];
    assert_eq!(calls.list(), list);
    assert_eq!((calls.count("get"), calls.names()[2]), (3, "put"));
}

#[test]
fn a_failing_cache_costs_a_computation_and_nothing_else() {
    // The calls of the first request are get, get, put; of the second, get.
    for (n, second) in [
        (1, Origin::Hit),
        (2, Origin::Hit),
        (3, Origin::Computed),
        (4, Origin::Hit),
    ] {
        let cache = FailingAt::new(backend::<dyn Cache>("lru"), n);
        let flight = SingleFlight::new(Arc::new(cache));
        let compute = || Ok(Bytes::from_static(b"value"));
        assert_eq!(
            flight.get_or_compute(&key(), compute).unwrap().1,
            Origin::Computed
        );
        let (value, origin) = flight.get_or_compute(&key(), compute).unwrap();
        assert_eq!((&value[..], origin), (&b"value"[..], second), "call {n}");
    }
}

#[test]
fn each_method_of_a_cache_fails_as_it_can() {
    let failing = || {
        let cache = backend::<dyn Cache>("lru");
        cache.put(&key(), Bytes::new());
        FailingAt::new(cache, 1)
    };
    assert_eq!(failing().get(&key()), None);
    assert_eq!(failing().put(&key(), Bytes::new()), Admission::Refused);
    assert!(!failing().remove(&key()));
    assert_eq!(failing().sweep(), 0);
    let cache = failing();
    assert_eq!(cache.stats().entries, 1);
    assert!(!cache.remove(&key()));
    assert!(cache.remove(&key()));
}

#[test]
fn an_executor_double_under_map() {
    let recording = Recording::new(backend::<dyn Executor>("sequential"));
    assert_eq!(recording.map(3, |i| 2 * i).unwrap(), [0, 2, 4]);
    assert_eq!(recording.calls().list(), [call("for_ranges", &[3, 1])]);

    let failing = FailingAt::new(backend::<dyn Executor>("rayon"), 2);
    assert!(failing.map(3, |i| i).is_ok());
    let error = failing.map(3, |i| i).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(
        error.to_string(),
        "a planted failure (method: for_ranges, call: 2)"
    );
    assert!(failing.try_map(3, Ok).iter().all(Result::is_ok));
}

#[test]
fn slow_calls_begin_with_a_sleep() {
    let delay = Duration::from_millis(5);
    let slow = Slow::new(backend::<dyn Executor>("sequential"), delay);
    let start = Instant::now();
    slow.for_ranges(1, 1, &|_| {}).unwrap();
    assert!(start.elapsed() >= delay);
}

#[test]
fn a_pool_double() {
    let pool = Recording::new(backend::<dyn BufferPool>("queue"));
    pool.prepare(64, 2).unwrap();
    assert_eq!(pool.acquire(50, Contents::Zeroed).unwrap().len(), 50);
    assert!(pool.is_real_time());
    assert_eq!(pool.stats().acquired, 1);
    assert_eq!(
        pool.calls().list(),
        [call("prepare", &[64, 2]), call("acquire", &[50])]
    );

    let failing = FailingAt::new(backend::<dyn BufferPool>("heap"), 1);
    let error = failing.acquire(1, Contents::Stale).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(failing.acquire(1, Contents::Stale).is_ok());
}

#[test]
fn a_profiler_double() {
    let profiler = Recording::new(backend::<dyn Profiler>("trace"));
    let id = profiler.register(&Operation::named("eq"));
    profiler.record(id, 0, 1);
    assert_eq!(
        (profiler.report().operations.len(), profiler.events().len()),
        (1, 1)
    );
    assert_eq!(
        profiler.calls().list(),
        [call("register", &[2]), call("record", &[])]
    );

    let failing = FailingAt::new(backend::<dyn Profiler>("histogram"), 1);
    let nowhere = failing.register(&Operation::named("eq"));
    failing.record(nowhere, 0, 1);
    assert!(failing.report().operations.is_empty());
}

/// Has nothing: each method is left to its default, which answers `Unsupported`.
#[derive(Debug)]
struct Bare;

impl Accelerator for Bare {}

macro_rules! methods {
    ($($kernel:ident $method:ident($($arguments:tt)*) -> $result:ty;)*) => {
        [$(stringify!($method)),*]
    };
}

#[test]
fn every_kernel_of_an_accelerator_is_passed_on_and_recorded() {
    let recording = Recording::new(Arc::new(Bare) as Arc<dyn Accelerator>);
    let answers = every_kernel(&recording);
    assert_eq!(
        answers,
        vec![Some(ErrorKind::Unsupported); Kernel::ALL.len()]
    );
    let methods = [
        &for_each_slice_kernel!(methods)[..],
        &for_each_plan!(methods),
    ]
    .concat();
    assert_eq!(recording.calls().names(), methods);
    let list = recording.calls().list();
    assert_eq!(list[0], call("scale", &[3]));
    assert!(list.contains(&call("moving_rms", &[3, 3, 2])));
    assert!(list.contains(&call("plan_convolver", &[2])));
    assert_eq!(recording.variant(), "");
}

#[test]
fn every_kernel_of_an_accelerator_fails_when_told() {
    for n in 1..=Kernel::ALL.len() {
        let failing = FailingAt::new(Arc::new(Bare) as Arc<dyn Accelerator>, n);
        let answers = every_kernel(&failing);
        let failed = |answer: &Option<_>| *answer == Some(ErrorKind::Unavailable);
        assert_eq!(answers.iter().position(failed), Some(n - 1));
        assert_eq!(answers.iter().filter(|answer| failed(answer)).count(), 1);
    }
}

/// Calls every kernel, in the order of [`Kernel::ALL`], with slices of three; says what each failed
/// with.
fn every_kernel(a: &dyn Accelerator) -> Vec<Option<ErrorKind>> {
    let (f, ints, shorts, packed) = (&[0.0_f32; 3], &[0_i32; 3], &[0_i16; 3], &[[0_u8; 3]; 3]);
    let (d, c) = (&[0.0_f64; 3], &[Complex::default(); 3]);
    let (mut fs, mut is, mut ss, mut ps) = (*f, *ints, *shorts, *packed);
    let (mut ds, mut cs) = (*d, *c);
    let spec = ConvolverSpec {
        impulse: &[1.0; 2],
        block: 1,
        latency: Latency::Zero,
    };
    let same = ConvolutionMode::Same;
    fn kind<T>(answer: Result<T>) -> Option<ErrorKind> {
        answer.err().map(|error| error.kind())
    }
    vec![
        kind(a.scale(&mut fs, 1.0)),
        kind(a.ramp(&mut fs, 0.0, 1.0)),
        kind(a.channel_gains(&mut fs, f)),
        kind(a.add(&mut fs, f)),
        kind(a.mix(&mut fs, f, 1.0)),
        kind(a.mul(&mut fs, f)),
        kind(a.dot(f, f)),
        kind(a.sum_squares(f)),
        kind(a.peak(f)),
        kind(a.min_max(f)),
        kind(a.clip(&mut fs, 0.0, 1.0)),
        kind(a.interleave(&mut fs, &[f])),
        kind(a.deinterleave(&mut [&mut fs], f)),
        kind(a.f32_from_i16(&mut fs, shorts)),
        kind(a.f32_from_i24(&mut fs, packed)),
        kind(a.f32_from_i32(&mut fs, ints)),
        kind(a.i16_from_f32(&mut ss, f)),
        kind(a.i24_from_f32(&mut ps, f)),
        kind(a.i32_from_f32(&mut is, f)),
        kind(a.complex_mul(&mut cs, c, c)),
        kind(a.complex_mul_add(&mut cs, c, c)),
        kind(a.tanh(&mut fs)),
        kind(a.exp(&mut fs)),
        kind(a.ln(&mut fs)),
        kind(a.window(&mut fs, Window::Hann)),
        kind(a.moving_rms(&mut fs, f, 2)),
        kind(a.convolve(&mut fs, f, f, same)),
        kind(a.scale_f64(&mut ds, 1.0)),
        kind(a.channel_gains_f64(&mut ds, d)),
        kind(a.moving_rms_f64(&mut ds, d, 2)),
        kind(a.convolve_f64(&mut ds, d, d, same)),
        kind(a.plan_complex_fft(3)),
        kind(a.plan_real_fft(3)),
        kind(a.plan_convolver(&spec)),
        kind(a.plan_biquads(&[], 1)),
        kind(a.plan_fir(f)),
        kind(a.plan_complex_fft_f64(3)),
        kind(a.plan_real_fft_f64(3)),
    ]
}
