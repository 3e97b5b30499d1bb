//! The ffmpeg program, whose loudness filter is timed by the processor time it takes.

use std::path::Path;
use std::process::{Command, Stdio};

/// What `ffmpeg -f null` of a file took.
pub struct Run {
    /// Processor time in nanoseconds.
    pub ns: f64,
    /// What the filter printed.
    pub printed: String,
}

/// Runs ffmpeg over a file of stereo 32-bit floats at 48 kHz with this audio filter.
pub fn ffmpeg(file: &Path, filter: &str) -> Result<Run, String> {
    let output = Command::new("ffmpeg")
        .args([
            "-hide_banner",
            "-nostats",
            "-nostdin",
            "-benchmark",
            "-threads",
            "1",
        ])
        .args(["-f", "f32le", "-ar", "48000", "-ac", "2", "-i"])
        .arg(file)
        .args(["-filter_threads", "1", "-af", filter, "-f", "null", "-"])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("ffmpeg: {error}"))?;
    let printed = String::from_utf8_lossy(&output.stderr);
    let seconds = |name: &str| -> Option<f64> {
        let (_, rest) = printed.rsplit_once(name)?;
        rest.split('s').next()?.parse().ok()
    };
    let seconds = seconds("utime=").zip(seconds("stime="));
    let (user, system) = seconds.ok_or("ffmpeg printed no times")?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(Run {
        ns: (user + system) * 1e9,
        printed,
    })
}
