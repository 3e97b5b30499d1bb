//! Denormal numbers count as zero wherever audio is processed, and nowhere else: what the control
//! register says within a stage and after it, and what becomes of a tail.

use std::sync::Mutex;

use auralis::chain::{Band, BandShape, Equalizer, Prepare, Processor, Stage};
use auralis::core::{AudioBlockMut, Executor, FloatControl, FlushToZero, Result};
use serde::{Deserialize, Serialize};

use crate::signals::{run, session};

/// What the control register was wherever a tail was processed.
static SEEN: Mutex<Vec<FloatControl>> = Mutex::new(Vec::new());

/// A comb filter, as reverberations are made of: a plain loop, that no backend has a say in.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Tail;

const DELAY: usize = 64;

/// Rounded to nearest, 0.9 times the 4 smallest denormals are those themselves: without flushing, the
/// tail never ends.
const FEEDBACK: f32 = 0.9;

#[typetag::serde(name = "tail of a test")]
impl Stage for Tail {
    fn prepare(&self, context: &Prepare<'_>) -> Result<Box<dyn Processor>> {
        Ok(Box::new(Comb::new(context.channels)))
    }
}

#[derive(Debug)]
struct Comb {
    rings: Vec<[f32; DELAY]>,
    at: usize,
}

impl Comb {
    fn new(channels: usize) -> Self {
        Self {
            rings: vec![[0.0; DELAY]; channels],
            at: 0,
        }
    }

    fn pass(&mut self, block: &mut AudioBlockMut<'_>) {
        let frames = block.frames();
        for (ring, plane) in self.rings.iter_mut().zip(block.planes_mut()) {
            for (n, x) in plane.iter_mut().enumerate() {
                let echo = &mut ring[(self.at + n) % DELAY];
                *echo = std::hint::black_box(*x + FEEDBACK * *echo);
                *x = *echo;
            }
        }
        self.at += frames;
    }
}

impl Processor for Comb {
    fn process(&mut self, block: &mut AudioBlockMut<'_>, _: Option<&dyn Executor>) -> Result<()> {
        SEEN.lock().unwrap().push(FloatControl::read());
        self.pass(block);
        Ok(())
    }

    fn reset(&mut self) {
        self.rings.fill([0.0; DELAY]);
    }
}

fn flushing() -> FloatControl {
    let _flush = FlushToZero::new();
    FloatControl::read()
}

/// A step of -20 dB, and silence until its tail has passed through all denormal numbers.
fn step() -> Vec<f32> {
    let mut step = vec![0.1; 1000];
    step.resize(120_000, 0.0);
    step
}

#[test]
fn a_tail_ends_in_zeros_and_the_register_is_as_it_was() {
    let before = FloatControl::read();
    assert_ne!(before, flushing());
    let bell = Band {
        hz: 3000.0,
        gain_db: 6.0,
        q: Some(4.0),
        shape: BandShape::Peak,
    };
    let equalizer = Equalizer { bands: vec![bell] };
    let stages: Vec<Box<dyn Stage>> = vec![Box::new(Tail), Box::new(equalizer), Box::new(Tail)];
    let mut session = session(stages, 48_000, 2);
    let output = run(&mut session, &[step(), step()], &[512, 64, 1]);
    assert_eq!(FloatControl::read(), before);
    let seen = std::mem::take(&mut *SEEN.lock().unwrap());
    assert!(seen.len() > 1000 && seen.iter().all(|control| *control == flushing()));
    for plane in &output {
        assert!(plane.iter().any(|x| *x != 0.0));
        assert!(!plane.iter().any(|x| x.is_subnormal()));
        assert!(plane[plane.len() - 1000..].iter().all(|x| *x == 0.0));
    }

    let mut tail = step();
    let frames = tail.len();
    let mut block = AudioBlockMut::new(&mut tail, 1, frames, frames).unwrap();
    Comb::new(1).pass(&mut block);
    let stuck = &tail[frames - 1000..];
    assert!(
        stuck.iter().any(|x| x.is_subnormal()),
        "the same without flushing"
    );
}
