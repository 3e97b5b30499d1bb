//! Three steps of work on a stream of blocks, one block apart, so that they can run at once.

use std::ops::Range;
use std::time::Instant;

use auralis_core::{
    AudioBlock, AudioBlockMut, Buffer, Error, Executor, ExecutorExt, FlushToZero, Result,
};

use crate::Parts;

/// The most frames that are measured, or made ready to be written, at once: so few that all steps find
/// them in the first cache or near it. At 44.1 kHz it is half a sub-block of the loudness.
pub const STRETCH: usize = 2048;

/// The stretches of at most `longest` frames that make up `frames`, in order.
pub fn stretches(frames: Range<usize>, longest: usize) -> impl Iterator<Item = Range<usize>> {
    let end = frames.end;
    frames
        .step_by(longest)
        .map(move |start| start..end.min(start + longest))
}

/// A block of planar audio on its way.
#[derive(Debug)]
pub struct Planes {
    samples: Buffer,
    channels: usize,
    room: Room,
    frames: usize,
    /// How many of the frames, at the end, are silence that flushes the chain.
    silent: usize,
}

/// The frames that a block may have: as the source fills it, and at any time.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// As it is opened.
    pub source: usize,
    /// At most.
    pub frames: usize,
}

impl Planes {
    fn new(parts: &Parts, channels: usize, room: Room) -> Result<Self> {
        Ok(Self {
            samples: parts.scratch(channels * room.frames)?,
            channels,
            room,
            frames: 0,
            silent: 0,
        })
    }

    /// The audio.
    pub fn block(&self) -> AudioBlock<'_> {
        AudioBlock::new(&self.samples, self.channels, self.frames, self.room.frames)
            .expect("the planes fit into their buffer")
    }

    /// The audio, to be changed.
    pub fn block_mut(&mut self) -> AudioBlockMut<'_> {
        AudioBlockMut::new(
            &mut self.samples,
            self.channels,
            self.frames,
            self.room.frames,
        )
        .expect("the planes fit into their buffer")
    }

    /// Makes the block as long as the source may fill it.
    pub fn open(&mut self) {
        self.resize(self.room.source, 0);
    }

    /// Sets the number of frames, of which the last `silent` ones flush the chain.
    pub fn resize(&mut self, frames: usize, silent: usize) {
        self.frames = frames.min(self.room.frames);
        self.silent = silent.min(self.frames);
    }

    /// How many of the frames, at the end, flush the chain.
    pub fn silent(&self) -> usize {
        self.silent
    }
}

/// The blocks of a trial, and those that then go the way that was the faster one.
const TRIAL: usize = 6;
const SPELL: usize = 256;

/// The most of the time that steps at once may take of that one after another: a thread more is worth
/// something.
const WORTHWHILE: f64 = 0.75;

/// Passes a stream of blocks through three steps. On an executor of several threads they can run at
/// once: while the sink has one block, the transform has the next and the source fills the one after.
/// Whether that is faster is measured from time to time: threads may have to share a core, and then it
/// is only more work. The results are the same bits either way. In each step, on whichever thread,
/// denormal numbers count as zero.
#[derive(Debug)]
pub struct Conveyor<'a> {
    executor: &'a dyn Executor,
    slots: [Planes; 3],
    /// Whether the steps may run at once.
    ahead: bool,
}

/// What a conveyor has found out about running its steps at once, if anything.
#[derive(Debug, Default)]
pub struct Pace(Option<bool>);

type Step<'a> = &'a mut (dyn FnMut(&mut Planes) -> Result<()> + Send);

struct Steps<'a> {
    source: Step<'a>,
    transform: Step<'a>,
    sink: Step<'a>,
}

impl<'a> Conveyor<'a> {
    /// A conveyor for blocks of this shape.
    ///
    /// # Errors
    ///
    /// What the pool answers.
    pub fn new(parts: &'a Parts, channels: usize, room: Room, ahead: bool) -> Result<Self> {
        let slot = || Planes::new(parts, channels, room);
        Ok(Self {
            executor: &*parts.executor,
            slots: [slot()?, slot()?, slot()?],
            ahead,
        })
    }

    /// Runs until the source leaves a block empty. `pace` is that of the runs before.
    ///
    /// # Errors
    ///
    /// The first error of a step; the other steps of that moment have run too.
    pub fn run(
        &mut self,
        pace: &mut Pace,
        mut source: impl FnMut(&mut Planes) -> Result<()> + Send,
        mut transform: impl FnMut(&mut Planes) -> Result<()> + Send,
        mut sink: impl FnMut(&mut Planes) -> Result<()> + Send,
    ) -> Result<()> {
        let steps = &mut Steps {
            source: &mut source,
            transform: &mut transform,
            sink: &mut sink,
        };
        if !self.ahead || self.executor.threads() == 1 {
            return self.one_by_one(usize::MAX, steps).map(drop);
        }
        loop {
            let faster = match pace.0.take() {
                None => self.trial(steps)?,
                known => known,
            };
            let Some(at_once) = faster else {
                return Ok(());
            };
            let more = match at_once {
                true => self.at_once(SPELL, steps)?,
                false => self.one_by_one(SPELL, steps)?,
            };
            if !more {
                pace.0 = faster;
                return Ok(());
            }
        }
    }

    /// Passes blocks both ways, and says whether to run the steps at once; nothing if the source left a
    /// block empty.
    fn trial(&mut self, steps: &mut Steps<'_>) -> Result<Option<bool>> {
        // The first block, which finds cold caches, is not timed.
        if !self.one_by_one(1, steps)? {
            return Ok(None);
        }
        let began = Instant::now();
        if !self.at_once(TRIAL, steps)? {
            return Ok(None);
        }
        let at_once = began.elapsed();
        if !self.one_by_one(TRIAL, steps)? {
            return Ok(None);
        }
        let one_by_one = began.elapsed() - at_once;
        Ok(Some(at_once < one_by_one.mul_f64(WORTHWHILE)))
    }

    /// Passes so many blocks, and says whether the source may have more.
    fn one_by_one(&mut self, blocks: usize, steps: &mut Steps<'_>) -> Result<bool> {
        let _flush = FlushToZero::new();
        // One slot only, which so stays in the cache.
        let block = &mut self.slots[0];
        for _ in 0..blocks {
            block.open();
            (steps.source)(block)?;
            if block.frames == 0 {
                return Ok(false);
            }
            (steps.transform)(block)?;
            (steps.sink)(block)?;
        }
        Ok(true)
    }

    /// The same, with all steps at once on blocks that follow each other.
    fn at_once(&mut self, blocks: usize, steps: &mut Steps<'_>) -> Result<bool> {
        self.slots.iter_mut().for_each(|slot| slot.resize(0, 0));
        let (mut more, mut left) = (true, blocks);
        loop {
            let [coming, here, going] = &mut self.slots;
            let Steps {
                source,
                transform,
                sink,
            } = steps;
            let filled = |slot: &Planes| slot.frames > 0;
            let wanted = more && left > 0;
            let (came, (transformed, sunk)) = self.executor.join(
                || {
                    let _flush = FlushToZero::new();
                    if wanted {
                        coming.open();
                        source(coming)?;
                    }
                    Ok::<_, Error>(filled(coming))
                },
                || {
                    let step = self.executor.join(
                        || {
                            let _flush = FlushToZero::new();
                            if filled(here) {
                                transform(here)
                            } else {
                                Ok(())
                            }
                        },
                        || {
                            let _flush = FlushToZero::new();
                            if filled(going) { sink(going) } else { Ok(()) }
                        },
                    );
                    step.unwrap_or_else(|panicked| (Err(panicked), Ok(())))
                },
            )?;
            sunk?;
            transformed?;
            let came = came?;
            if wanted {
                more = came;
                left -= 1;
            }
            self.slots[2].resize(0, 0);
            self.slots.rotate_right(1);
            if self.slots.iter().all(|slot| slot.frames == 0) {
                return Ok(more);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use auralis_core::FloatControl;

    use super::*;
    use crate::Optimizer;
    use crate::registry::config::Sources;

    /// Halves the samples until only denormal numbers could be left.
    fn fade(planes: &mut Planes) {
        for plane in planes.block_mut().planes_mut() {
            for x in plane {
                *x = (0..130).fold(*x, |x, _| std::hint::black_box(x) * 0.5);
            }
        }
    }

    #[test]
    fn denormals_are_zero_in_every_step_and_nowhere_else() {
        let before = FloatControl::read();
        let flushing = {
            let _flush = FlushToZero::new();
            FloatControl::read()
        };
        assert_ne!(before, flushing);
        for (executor, ahead) in [
            ("sequential", true),
            ("rayon", true),
            ("pinned", true),
            ("rayon", false),
        ] {
            let sources = Sources {
                sets: vec![format!("executor.backend={executor}")],
                ..Sources::default()
            };
            let optimizer = Optimizer::builder().sources(sources).build().unwrap();
            let parts = optimizer.parts();
            let room = Room {
                source: 100,
                frames: 100,
            };
            let seen = [const { Mutex::new(Vec::new()) }; 3];
            let see = |step: usize| seen[step].lock().unwrap().push(FloatControl::read());
            let mut left = 20;
            let mut faded = Vec::new();
            let mut conveyor = Conveyor::new(parts, 2, room, ahead).unwrap();
            let outcome = conveyor.run(
                &mut Pace::default(),
                |planes| {
                    see(0);
                    left -= 1;
                    planes
                        .block_mut()
                        .planes_mut()
                        .for_each(|plane| plane.fill(0.1));
                    planes.resize(if left > 0 { 100 } else { 0 }, 0);
                    Ok(())
                },
                |planes| {
                    see(1);
                    fade(planes);
                    Ok(())
                },
                |planes| {
                    see(2);
                    planes
                        .block()
                        .planes()
                        .for_each(|plane| faded.extend_from_slice(plane));
                    Ok(())
                },
            );
            outcome.unwrap();
            for (step, count) in [20, 19, 19].into_iter().enumerate() {
                let seen = seen[step].lock().unwrap();
                assert_eq!(*seen, vec![flushing; count], "{executor}: step {step}");
            }
            assert_eq!(faded, vec![0.0; 19 * 200], "{executor}");
            assert_eq!(FloatControl::read(), before, "{executor}");
            let threads = parts.executor.threads();
            let after = Mutex::new(Vec::new());
            let look = |_| after.lock().unwrap().push(FloatControl::read());
            parts.executor.for_ranges(8 * threads, 1, &look).unwrap();
            let after = after.into_inner().unwrap();
            assert_eq!(after, vec![before; after.len()], "{executor}: its threads");
        }
    }

    #[test]
    fn blocks_keep_their_order_however_the_steps_run() {
        let sources = Sources {
            sets: vec!["executor.backend=rayon".into(), "executor.threads=2".into()],
            ..Sources::default()
        };
        let optimizer = Optimizer::builder().sources(sources).build().unwrap();
        let room = Room {
            source: 1,
            frames: 1,
        };
        for count in [0, 1, 2, TRIAL, 2 * TRIAL + 1, 3 * (SPELL + 2 * TRIAL)] {
            let mut conveyor = Conveyor::new(optimizer.parts(), 1, room, true).unwrap();
            let (mut next, mut seen) = (0.0, Vec::new());
            let outcome = conveyor.run(
                &mut Pace::default(),
                |planes| {
                    next += 1.0;
                    planes.block_mut().channel_mut(0)[0] = next;
                    planes.resize(usize::from(next as usize <= count), 0);
                    Ok(())
                },
                |planes| {
                    planes.block_mut().channel_mut(0)[0] *= 2.0;
                    Ok(())
                },
                |planes| {
                    seen.extend_from_slice(planes.block().channel(0));
                    Ok(())
                },
            );
            outcome.unwrap();
            let wanted = (1..=count).map(|block| 2.0 * block as f32);
            assert!(seen.iter().copied().eq(wanted), "{count} blocks: {seen:?}");
        }
    }
}
