//! Inputs and outputs that can't be had: a clear error, no partial output, nothing harmed.

use std::fs;

use libtest_mimic::{Failed, Trial};

use crate::songs::{Wav, music, song};
use crate::support::{Audio, PROGRAM, Run, Sandbox, trial};

pub fn trials() -> Vec<Trial> {
    let mut trials: Vec<Trial> = cases()
        .into_iter()
        .map(|case| {
            let name = format!("bad_input::{}", case.name);
            trial(name, move || case.refused())
        })
        .collect();
    trials.extend([
        trial("bad_input::missing", missing),
        trial("bad_input::a_device_has_no_end", device),
        trial("bad_input::one_frame_is_mastered", one_frame),
        trial("bad_input::silence_is_mastered_as_silence", silence),
        trial("bad_input::zeroed_samples_are_counted", zeroed),
        trial("bad_input::the_others_of_a_folder_are_delivered", others),
        trial("bad_input::a_file_where_the_folder_should_be", not_a_folder),
        trial("bad_input::an_empty_folder", empty_folder),
    ]);
    #[cfg(unix)]
    trials.extend([
        trial("bad_input::the_output_is_the_input", the_input_itself),
        Trial::ignorable_test("bad_input::unreadable", unreadable),
        Trial::ignorable_test("bad_input::the_disk_is_full", full_disk),
    ]);
    trials
}

struct Case {
    name: &'static str,
    bytes: Vec<u8>,
    /// What the error says beside the file's name.
    says: &'static [&'static str],
}

impl Case {
    /// The error names file and cause, and nothing is left, alone and in a table or as JSON.
    fn refused(&self) {
        let sandbox = Sandbox::new();
        sandbox.write("bad.wav", &self.bytes);
        sandbox
            .run("process bad.wav -o out.wav")
            .exits(1)
            .says(&["bad.wav"])
            .says(self.says);
        let run = sandbox
            .run("process bad.wav --output-dir out --json")
            .exits(1);
        let error = run.object()["error"].as_str().unwrap().to_owned();
        assert!(error.contains("bad.wav"), "{error}");
        for text in self.says {
            assert!(error.contains(text), "{text}: {error}");
        }
        assert_eq!(sandbox.files(), ["bad.wav"]);
        assert!(sandbox.read("bad.wav") == self.bytes);
        let run = sandbox.run("analyze bad.wav --json").exits(1);
        assert!(run.object()["error"].is_string(), "{run}");
    }
}

fn with_sample(sample: f32) -> Vec<u8> {
    let mut samples = music(1, 2, 44_100, 0.5);
    samples[2 * 1234 + 1] = sample.into();
    Wav::of(3, 32, 2, 44_100, &samples).bytes()
}

fn patched(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut wav = song(1, 0.2);
    wav[at..at + bytes.len()].copy_from_slice(bytes);
    wav
}

fn cases() -> Vec<Case> {
    let case = |name, bytes, says| Case { name, bytes, says };
    let whole = song(1, 0.5);
    let cut = |at: usize| whole[..at].to_vec();
    let mut zero_frames = Wav::of(1, 16, 2, 44_100, &[]);
    zero_frames.data.clear();
    vec![
        case("empty", vec![], &["empty"]),
        case("one_byte", vec![b'R'], &["truncated"]),
        case(
            "text",
            b"this is no song, but a long enough text".to_vec(),
            &["starts with"],
        ),
        case("cut_in_the_riff_header", cut(10), &["truncated"]),
        case("cut_in_the_format", cut(30), &["truncated"]),
        case("cut_after_the_header", cut(44), &["truncated"]),
        case("cut_in_the_middle", cut(whole.len() / 2), &["truncated"]),
        case("cut_by_one_byte", cut(whole.len() - 1), &["truncated"]),
        case(
            "claims_four_gigabytes",
            patched(40, &0xffff_fff0_u32.to_le_bytes()),
            &["data"],
        ),
        case("zero_channels", patched(22, &[0, 0]), &["zero channels"]),
        case("65_channels", patched(22, &[65, 0]), &["channel"]),
        case("rate_zero", patched(24, &[0; 4]), &["sample rate of 0 Hz"]),
        case("seven_bits", patched(34, &[7, 0]), &["7 bits"]),
        case("adpcm", patched(20, &[2, 0]), &["Microsoft ADPCM"]),
        case("no_frames", zero_frames.bytes(), &["no "]),
        case(
            "nan",
            with_sample(f32::NAN),
            &["NaN", "frame: 1234", "channel: 1"],
        ),
        case(
            "infinity",
            with_sample(f32::INFINITY),
            &["inf", "frame: 1234", "channel: 1"],
        ),
        case(
            "not_an_mp3",
            b"ID3\x04\0\0\0\0\0\x05abcde".to_vec(),
            &["bad.wav"],
        ),
        case(
            "not_a_flac",
            b"fLaC\0\0\0\x22 and no stream info follows".to_vec(),
            &["bad.wav"],
        ),
        case(
            "not_an_ogg",
            b"OggS and then nothing that is a page".to_vec(),
            &["bad.wav"],
        ),
    ]
}

fn missing() {
    let sandbox = Sandbox::new();
    sandbox
        .run("process missing.wav -o out.wav")
        .exits(1)
        .says(&["missing.wav", "no such file"]);
    assert_eq!(sandbox.files(), [""; 0]);
}

fn device() {
    let sandbox = Sandbox::new();
    if cfg!(unix) {
        sandbox
            .run("process /dev/zero -o out.wav")
            .exits(1)
            .says(&["/dev/zero", "not a regular file"]);
    }
    sandbox.write("folder.wav/notes.txt", b"");
    sandbox
        .run("process folder.wav --output-dir out")
        .exits(1)
        .says(&["folder.wav", "no audio file"]);
}

fn one_frame() {
    let sandbox = Sandbox::new();
    let wav = Wav::of(1, 16, 2, 44_100, &[0.5, -0.5]);
    sandbox.write("one.wav", &wav.bytes());
    let object = sandbox
        .run("process one.wav -o out.wav --json")
        .exits(0)
        .object();
    assert_eq!(object["frames"], 1);
    assert_eq!(Audio::of(&sandbox.path("out.wav")).frames(), 1);
    assert!(
        object["loudness_note"]
            .as_str()
            .unwrap()
            .contains("no loudness")
    );
}

fn silence() {
    let sandbox = Sandbox::new();
    let wav = Wav::of(1, 16, 2, 44_100, &vec![0.0; 2 * 44_100]);
    sandbox.write("silence.wav", &wav.bytes());
    let object = sandbox
        .run("process silence.wav -o out.wav --json --bits 32f")
        .exits(0)
        .object();
    let note = object["loudness_note"].as_str().unwrap();
    assert!(
        note.contains("silence") && note.contains("-14.0 LUFS"),
        "{note}"
    );
    let output = Audio::of(&sandbox.path("out.wav"));
    assert_eq!(output.frames(), 44_100);
    assert!(output.planes.concat().iter().all(|x| *x == 0.0));
}

fn zeroed() {
    let sandbox = Sandbox::new();
    let mut samples = music(1, 2, 44_100, 1.0);
    for (at, bad) in [
        (7, f64::NAN),
        (4000, f64::INFINITY),
        (80_001, f64::NEG_INFINITY),
    ] {
        samples[at] = bad;
    }
    sandbox.write("bad.wav", &Wav::of(3, 32, 2, 44_100, &samples).bytes());
    let object = sandbox
        .run("process bad.wav -o out.wav --nan zero --json")
        .exits(0)
        .object();
    let warnings = object["warnings"].to_string();
    assert!(warnings.contains("3 samples were not finite"), "{warnings}");
    let output = Audio::of(&sandbox.path("out.wav"));
    assert_eq!(output.frames(), 44_100);
    let (loudness, _) = output.levels();
    assert!((loudness + 14.0).abs() < 0.1, "{loudness}");
}

fn others() {
    let sandbox = Sandbox::new();
    let bad = cases();
    for case in &bad {
        sandbox.write(&format!("songs/{}.wav", case.name), &case.bytes);
    }
    for seed in 0..2 {
        sandbox.write(&format!("songs/good/{seed}.wav"), &song(seed, 0.6));
    }
    let run = sandbox
        .run("process songs --output-dir out --json")
        .exits(1);
    let (failed, done): (Vec<_>, Vec<_>) = run
        .objects()
        .into_iter()
        .partition(|object| object["error"].is_string());
    assert_eq!((failed.len(), done.len()), (bad.len(), 2), "{run}");
    let outputs: Vec<_> = sandbox
        .files()
        .into_iter()
        .filter(|f| f.starts_with("out"))
        .collect();
    assert_eq!(outputs, ["out/good/0.wav", "out/good/1.wav"]);
}

fn not_a_folder() {
    let sandbox = Sandbox::new();
    sandbox.write("song.wav", &song(1, 0.5));
    sandbox.write("out", b"a file");
    sandbox
        .run("process song.wav --output-dir out")
        .exits(1)
        .says(&["song.wav", "output folder", "out"]);
    sandbox
        .run("process song.wav -o out/song.wav")
        .exits(1)
        .says(&["song.wav", "output folder", "out"]);
    assert_eq!(sandbox.files(), ["out", "song.wav"]);
    assert_eq!(sandbox.read("out"), b"a file");
}

fn empty_folder() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("songs")).unwrap();
    sandbox
        .run("process songs --output-dir out")
        .exits(1)
        .says(&["no audio file", "songs"]);
    assert_eq!(sandbox.files(), [""; 0]);
}

#[cfg(unix)]
fn the_input_itself() {
    let sandbox = Sandbox::new();
    let input = sandbox.write("song.wav", &song(1, 0.5));
    let before = sandbox.read("song.wav");
    fs::hard_link(&input, sandbox.path("hard.wav")).unwrap();
    std::os::unix::fs::symlink(&input, sandbox.path("soft.wav")).unwrap();
    for output in ["song.wav", "./song.wav", "hard.wav", "soft.wav"] {
        sandbox
            .run(&format!("process song.wav -o {output} --force"))
            .exits(1)
            .says(&["song.wav", "the output is the input itself"]);
        assert!(sandbox.read("song.wav") == before);
        assert_eq!(sandbox.files(), ["hard.wav", "soft.wav", "song.wav"]);
    }
}

/// Ran by root, the program runs as nobody, for root may read everything.
#[cfg(unix)]
fn unreadable() -> Result<libtest_mimic::Completion, Failed> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;

    let sandbox = Sandbox::new();
    let path = sandbox.write("song.wav", &song(1, 0.5));
    let mode = |path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    mode(&path, 0o000);
    let mut command = sandbox.command(PROGRAM);
    command.args(["process", "song.wav", "-o", "out.wav"]);
    if fs::metadata(&path).unwrap().uid() == 0 {
        mode(&sandbox.path(""), 0o777);
        command.uid(65_534).gid(65_534);
    }
    let run = match command.output() {
        Ok(output) => Run::from_output(output, "process song.wav -o out.wav"),
        Err(e) => {
            let reason = format!("can't run the program as another user: {e}");
            return Ok(libtest_mimic::Completion::ignored_with(reason));
        }
    };
    run.exits(1).says(&["song.wav", "denied"]);
    assert_eq!(sandbox.files(), ["song.wav"]);
    Ok(libtest_mimic::Completion::Completed)
}

/// On a file system of 64 KiB in a mount namespace of its own.
#[cfg(unix)]
fn full_disk() -> Result<libtest_mimic::Completion, Failed> {
    let sandbox = Sandbox::new();
    let mount = "mkdir small && mount -t tmpfs -o size=64k tmpfs small";
    let shell = |script: String| {
        let mut command = sandbox.command("unshare");
        command.args(["-rm", "sh", "-c", &script]);
        command
    };
    let can_mount = shell(mount.to_owned()).output();
    if !can_mount.is_ok_and(|o| o.status.success()) {
        let reason = "can't mount a small file system";
        return Ok(libtest_mimic::Completion::ignored_with(reason));
    }
    fs::remove_dir(sandbox.path("small")).unwrap();
    sandbox.write("song.wav", &song(1, 2.0));
    let script = format!(
        "{mount} && {{ {PROGRAM} process song.wav -o small/out.wav; code=$?; \
         echo left: $(ls -A small); exit $code; }}"
    );
    let run = Run::of(&mut shell(script), "process song.wav -o small/out.wav").exits(1);
    assert!(run.stdout.trim_end().ends_with("left:"), "{run}");
    run.says(&["song.wav", "No space left on device"]);
    Ok(libtest_mimic::Completion::Completed)
}
