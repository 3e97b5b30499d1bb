//! Three steps of work on a stream of blocks, one block apart, so that they can run at once.

use std::ops::Range;

use auralis_core::{AudioBlock, AudioBlockMut, Buffer, Error, Executor, ExecutorExt, Result};

use crate::Parts;

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
    max_frames: usize,
    frames: usize,
}

impl Planes {
    fn new(parts: &Parts, channels: usize, max_frames: usize) -> Result<Self> {
        let samples = parts.scratch(channels * max_frames)?;
        Ok(Self {
            samples,
            channels,
            max_frames,
            frames: 0,
        })
    }

    /// The audio.
    pub fn block(&self) -> AudioBlock<'_> {
        AudioBlock::new(&self.samples, self.channels, self.frames, self.max_frames)
            .expect("the planes fit into their buffer")
    }

    /// The audio, to be changed.
    pub fn block_mut(&mut self) -> AudioBlockMut<'_> {
        AudioBlockMut::new(
            &mut self.samples,
            self.channels,
            self.frames,
            self.max_frames,
        )
        .expect("the planes fit into their buffer")
    }

    /// Makes the block as long as it can be.
    pub fn open(&mut self) {
        self.frames = self.max_frames;
    }

    /// Sets the number of frames.
    pub fn truncate(&mut self, frames: usize) {
        self.frames = frames.min(self.max_frames);
    }
}

/// Passes a stream of blocks through three steps. While the sink has one block, the transform has
/// the next and the source fills the one after: on an executor of several threads they run at once,
/// and the results are the same bits as on one.
#[derive(Debug)]
pub struct Conveyor<'a> {
    executor: &'a dyn Executor,
    slots: [Planes; 3],
    /// Whether the steps may run at once.
    ahead: bool,
}

impl<'a> Conveyor<'a> {
    /// A conveyor for blocks of this shape.
    ///
    /// # Errors
    ///
    /// What the pool answers.
    pub fn new(parts: &'a Parts, channels: usize, max_frames: usize, ahead: bool) -> Result<Self> {
        let slot = || Planes::new(parts, channels, max_frames);
        Ok(Self {
            executor: &*parts.executor,
            slots: [slot()?, slot()?, slot()?],
            ahead,
        })
    }

    /// Runs until the source leaves a block empty.
    ///
    /// # Errors
    ///
    /// The first error of a step; the other steps of that moment have run too.
    pub fn run(
        &mut self,
        mut source: impl FnMut(&mut Planes) -> Result<()> + Send,
        mut transform: impl FnMut(&mut Planes) -> Result<()> + Send,
        mut sink: impl FnMut(&mut Planes) -> Result<()> + Send,
    ) -> Result<()> {
        if !self.ahead || self.executor.threads() == 1 {
            let block = &mut self.slots[0];
            loop {
                block.open();
                source(block)?;
                if block.frames == 0 {
                    return Ok(());
                }
                transform(block)?;
                sink(block)?;
            }
        }
        self.slots.iter_mut().for_each(|slot| slot.truncate(0));
        let mut running = true;
        loop {
            let [coming, here, going] = &mut self.slots;
            let filled = |slot: &Planes| slot.frames > 0;
            let (more, (transformed, sunk)) = self.executor.join(
                || {
                    if running {
                        coming.open();
                        source(coming)?;
                    }
                    Ok::<_, Error>(running && filled(coming))
                },
                || {
                    let step = self.executor.join(
                        || {
                            if filled(here) {
                                transform(here)
                            } else {
                                Ok(())
                            }
                        },
                        || if filled(going) { sink(going) } else { Ok(()) },
                    );
                    step.unwrap_or_else(|panicked| (Err(panicked), Ok(())))
                },
            )?;
            sunk?;
            transformed?;
            running = more?;
            self.slots[2].truncate(0);
            self.slots.rotate_right(1);
            if !running {
                self.slots[0].truncate(0);
            }
            if self.slots.iter().all(|slot| slot.frames == 0) {
                return Ok(());
            }
        }
    }
}
