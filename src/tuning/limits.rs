//! What this machine can do at most, measured: what the time of a kernel is held against.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use auralis_accelerator::limits::{Probe, widest};
use auralis_core::CpuFeatures;
use auralis_registry::tuning::work::Cost;
use auralis_registry::tuning::{Batch, least_times};

/// The limits of one core.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The instruction set that they were measured with.
    pub instructions: &'static str,
    /// Multiplications and additions in single precision, in 10⁹ per second; double has half of them.
    pub gigaflops: f64,
    /// The levels of memory, from near to far.
    pub levels: Vec<Level>,
}

/// How fast one level of memory is, in 10⁹ bytes per second.
#[derive(Clone, Debug)]
pub struct Level {
    /// Its name.
    pub name: &'static str,
    /// The bytes that were streamed over: smaller footprints count as this level.
    pub bytes: usize,
    /// Reading alone.
    pub load: f64,
    /// Writing alone.
    pub store: f64,
    /// Reading as much as is written.
    pub update: f64,
    /// Reading twice as much as is written.
    pub add: f64,
}

/// Well within what caches of a core hold, and well beyond what all of them do.
const LEVELS: [(&str, usize); 4] = [
    ("L1", 16 << 10),
    ("L2", 256 << 10),
    ("L3", 4 << 20),
    ("memory", 256 << 20),
];

impl Limits {
    /// Measures with the widest instruction set of `cpu`, in about a second.
    pub fn measure(cpu: CpuFeatures) -> Self {
        let probe: Rc<dyn Probe> = widest(cpu).into();
        Self {
            instructions: probe.name(),
            gigaflops: gigaflops(&probe),
            levels: LEVELS
                .iter()
                .map(|(name, bytes)| level(&probe, name, *bytes))
                .collect(),
        }
    }

    /// The least nanoseconds that a call of this cost can take.
    pub fn nanoseconds(&self, cost: &Cost) -> f64 {
        let near = self.levels.iter().find(|l| cost.footprint() <= l.bytes);
        let level = near.or(self.levels.last()).expect("there are levels");
        let rate = match (cost.loads, cost.stores) {
            (_, 0) => level.load,
            (0, _) => level.store,
            (loads, stores) if 2 * loads >= 3 * stores => level.add,
            _ => level.update,
        };
        let moving = (cost.loads + cost.stores) as f64 / rate;
        let gigaflops = match cost.double {
            true => self.gigaflops / 2.0,
            false => self.gigaflops,
        };
        moving.max(cost.operations as f64 / gigaflops)
    }
}

/// The samples in a cache line.
const LINE: usize = 16;

const TIME: Duration = Duration::from_millis(60);

fn gigaflops(probe: &Rc<dyn Probe>) -> f64 {
    const TIMES: usize = 1024;
    let operations = probe.multiply_add(TIMES);
    let probe = Rc::clone(probe);
    let batch: Batch<'_> = Box::new(move |calls| {
        let begin = Instant::now();
        for _ in 0..calls {
            probe.multiply_add(TIMES);
        }
        Ok(begin.elapsed())
    });
    operations as f64 / least(least_times(&mut [batch], TIME))[0]
}

fn level(probe: &Rc<dyn Probe>, name: &'static str, bytes: usize) -> Level {
    let samples = bytes / size_of::<f32>();
    let data = Rc::new(RefCell::new(vec![0.5_f32; samples + LINE]));
    let batch = |run: fn(&dyn Probe, &mut [f32])| -> Batch<'static> {
        let (probe, data) = (Rc::clone(probe), Rc::clone(&data));
        Box::new(move |calls| {
            let data = &mut *data.borrow_mut();
            // Vectors that straddle cache lines are half as fast.
            let begin = data
                .as_ptr()
                .align_offset(LINE * size_of::<f32>())
                .min(LINE);
            let data = &mut data[begin..begin + samples];
            let begin = Instant::now();
            for _ in 0..calls {
                run(&*probe, data);
            }
            Ok(begin.elapsed())
        })
    };
    let mut batches = [
        batch(|probe, data| {
            std::hint::black_box(probe.load(data));
        }),
        batch(|probe, data| probe.store(data, 0.5)),
        batch(|probe, data| probe.update(data, 1.0)),
        batch(|probe, data| {
            let (dst, src) = data.split_at_mut(data.len() / 2);
            probe.add(dst, src);
        }),
    ];
    let times = least(least_times(&mut batches, TIME));
    let bytes_moved = [1.0, 1.0, 2.0, 1.5].map(|times| times * bytes as f64);
    let [load, store, update, add] =
        std::array::from_fn(|stream| bytes_moved[stream] / times[stream]);
    Level {
        name,
        bytes,
        load,
        store,
        update,
        add,
    }
}

fn least(times: Vec<auralis_core::Result<f64>>) -> Vec<f64> {
    let times = times.into_iter();
    times
        .map(|time| time.expect("what is measured here can't fail"))
        .collect()
}
