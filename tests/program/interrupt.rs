//! An interrupt in the middle of the work.

use libtest_mimic::Trial;

pub fn trials() -> Vec<Trial> {
    #[cfg(unix)]
    return vec![
        crate::support::trial("interrupt::one_file", || {
            unix::interrupted("-o out/long.wav", 1)
        }),
        crate::support::trial("interrupt::a_folder", || {
            unix::interrupted("--output-dir out", 3)
        }),
    ];
    #[cfg(not(unix))]
    Vec::new()
}

#[cfg(unix)]
mod unix {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    use crate::songs::song;
    use crate::support::{PROGRAM, Run, Sandbox};

    /// Sends the signal once the first output is under way.
    pub fn interrupted(output: &str, files: usize) {
        let sandbox = Sandbox::new();
        let bytes = song(1, 180.0);
        for file in 0..files {
            sandbox.write(&format!("songs/{file}.wav"), &bytes);
        }
        let input = if files == 1 { "songs/0.wav" } else { "songs" };
        // Plain loops, so that there is time for the signal.
        let slow = "--jobs 1 --set accelerator.backend=scalar";
        let line = format!("process {input} {output} {slow}");
        let mut command = sandbox.command(PROGRAM);
        command.args(line.split_whitespace());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        let started = Instant::now();
        while !sandbox.files().iter().any(|file| file.ends_with(".part")) {
            assert!(
                started.elapsed() < Duration::from_secs(120),
                "no output was begun"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        let kill = Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status();
        assert!(kill.unwrap().success());
        Run::from_output(child.wait_with_output().unwrap(), &line).exits(130);
        let left = sandbox.files();
        assert_eq!(left.len(), files, "{left:?}");
        assert!(sandbox.read("songs/0.wav") == bytes);
    }
}
