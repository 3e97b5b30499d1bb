//! The report of a run says what was delivered, in tables and on a page that is sound.

use auralis::core::profiler::{OperationReport, Report};
use auralis::master::{Delivery, Timeline};
use auralis::optimizer::GivenUp;
use auralis::report::{
    Asked, BackendChoice, FileReport, FolderReport, Machine, files_table, given_up_list, html,
    operations_table,
};

/// What a page may take per file, and for all that is not a file.
const FILE_BYTES: usize = 60_000;
const FRAME_BYTES: usize = 16_000;

const HOSTILE: &str = "<script>alert(1)</script>\"'&\u{1b}[31m\u{202e}.wav";

fn delivery() -> Delivery {
    Delivery {
        frames: 882_000,
        channels: 2,
        sample_rate: 44_100,
        loudness_in_lufs: Some(-20.314),
        loudness_out_lufs: Some(-14.004),
        true_peak_out_dbtp: Some(-1.049),
        loudness_target_lufs: Some(-14.0),
        gain_db: 6.9,
        reduction_db: Some(3.25),
        loudness_note: None,
        latency_samples: 0,
        renderings: 1,
        warnings: Vec::new(),
        digest: None,
        timeline: Timeline::default(),
    }
}

fn file(input: &str, outcome: Result<Delivery, String>) -> FileReport {
    FileReport {
        input: input.into(),
        output: "out/song.wav".into(),
        outcome,
        wall_seconds: 0.25,
        from_cache: false,
    }
}

/// A series of which no value can be written in fewer characters than another.
fn series(len: usize, largest: f32) -> Vec<f32> {
    let wave = |i: usize| 0.55 + 0.4 * (i as f32 * 0.7).sin();
    (0..len).map(|i| largest * wave(i)).collect()
}

fn timeline(len: usize) -> Timeline {
    Timeline {
        peak_in: series(len, 0.4),
        peak_out: series(len, 0.89),
        momentary_lufs: series(len, -20.0),
        reduction_db: series(len, 6.0),
    }
}

/// A file of every kind: as asked, with notes, silent, verified only, failed, and hostile.
fn files() -> Vec<FileReport> {
    let with_course = Delivery {
        timeline: timeline(1024),
        ..delivery()
    };
    let with_notes = Delivery {
        loudness_out_lufs: Some(-12.3),
        loudness_note: Some(
            "asked -9.0 LUFS, got -12.30 LUFS with 12.0 dB of limiting; it would take 17.2 dB of \
             limiting (max_reduction_db = 12)"
                .to_owned(),
        ),
        warnings: vec!["3 samples were not finite and are now 0".to_owned()],
        ..delivery()
    };
    let silent = Delivery {
        frames: 0,
        loudness_in_lufs: None,
        loudness_out_lufs: None,
        true_peak_out_dbtp: None,
        loudness_target_lufs: None,
        gain_db: -0.0,
        reduction_db: None,
        timeline: Timeline {
            peak_in: vec![0.0; 3],
            peak_out: vec![f32::NAN, f32::INFINITY, 0.0],
            momentary_lufs: vec![f32::NEG_INFINITY; 3],
            reduction_db: vec![0.0],
        },
        ..delivery()
    };
    let verified = FileReport {
        from_cache: true,
        ..file("songs/again.flac", Ok(delivery()))
    };
    let long = "songs/live/a name that goes on and on and on, take twelve (final mix).flac";
    let error = "the file ends in the middle of a frame\n  found: 1023 bytes\n  wanted: 4096";
    vec![
        file("songs/one.wav", Ok(with_course)),
        file("songs/loud.mp3", Ok(with_notes)),
        file("songs/silence.wav", Ok(silent)),
        verified,
        file(long, Err(error.to_owned())),
        file(&format!("songs/{HOSTILE}"), Err(HOSTILE.to_owned())),
    ]
}

fn operation(name: &str, count: u64, total_ns: u64) -> OperationReport {
    OperationReport {
        name: name.to_owned(),
        count,
        total_ns,
        mean_ns: total_ns as f64 / count.max(1) as f64,
        p50_ns: total_ns / count.max(1),
        p99_ns: 2 * total_ns / count.max(1),
        ..OperationReport::default()
    }
}

fn profile() -> Report {
    Report {
        operations: vec![
            operation("decode", 642, 112_345_678),
            operation("never", 0, 0),
            operation("deliver", 12_321, 2_402_000_000),
            operation(HOSTILE, 3, 999),
        ],
        ..Report::default()
    }
}

fn report(files: Vec<FileReport>) -> FolderReport {
    FolderReport {
        asked: Asked {
            loudness_lufs: Some(-14.0),
            ceiling_dbtp: Some(-1.0),
            chain: vec!["loudness to -14 LUFS".to_owned(), HOSTILE.to_owned()],
        },
        machine: Machine {
            cpu_features: "sse4.2, avx2".to_owned(),
            cores: 2,
        },
        rejected_plugins: Vec::new(),
        given_up: vec![GivenUp {
            kind: "accelerator".to_owned(),
            id: "acme".to_owned(),
            reason: format!("panicked at run time: {HOSTILE}"),
            file: Some("songs/one.wav".into()),
            successor: Some("scalar".to_owned()),
        }],
        backends: vec![BackendChoice {
            kind: "accelerator".to_owned(),
            id: HOSTILE.to_owned(),
            decided_by: "rank".to_owned(),
        }],
        files,
        wall_seconds: 1.25,
        profile: profile(),
    }
}

#[test]
fn the_tables_say_what_was_delivered() {
    insta::assert_snapshot!("files_wide", files_table(&files(), false, 120));
    insta::assert_snapshot!("files_narrow", files_table(&files(), false, 80));
    insta::assert_snapshot!("files_none", files_table(&[], false, 80));
    insta::assert_snapshot!("operations", operations_table(&profile()));
    insta::assert_snapshot!("operations_none", operations_table(&Report::default()));
}

#[test]
fn a_table_keeps_its_text_in_colour_and_its_lines_within_the_width() {
    let plain = files_table(&files(), false, 80);
    assert!(!plain.contains('\u{1b}'));
    let mut colored = files_table(&files(), true, 80);
    for style in ["1", "2", "31", "33", "0"] {
        let code = format!("\u{1b}[{style}m");
        assert!(colored.contains(&code), "no colour {style}");
        colored = colored.replace(&code, "");
    }
    assert_eq!(colored, plain);
    for width in [80, 100, 200] {
        let table = files_table(&files(), false, width);
        assert!(
            table.lines().all(|line| line.chars().count() <= width),
            "{table}"
        );
    }
}

/// Walks the tags of a page and compares each end with its beginning. Gives the text outside tags.
fn balanced(page: &str) -> String {
    const VOID: [&str; 2] = ["meta", "!DOCTYPE"];
    let (mut open, mut text, mut rest) = (Vec::new(), String::new(), page);
    while let Some(start) = rest.find('<') {
        text += &rest[..start];
        let end = rest[start..].find('>').expect("a tag that ends") + start;
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        let name = tag.split_whitespace().next().expect("a tag with a name");
        assert!(!tag.contains('<'), "a tag inside a tag: {tag}");
        assert!(
            tag.matches('"').count().is_multiple_of(2),
            "an open quote: {tag}"
        );
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "before {rest:.60}");
        } else if !VOID.contains(&name) {
            open.push(name);
        }
    }
    assert_eq!(open, Vec::<&str>::new());
    text + rest
}

#[test]
fn the_page_is_well_formed_and_stands_alone() {
    for files in [files(), Vec::new()] {
        let page = html(&report(files));
        balanced(&page);
        for foreign in [
            "http:", "https:", "//", "<script", "<link", "<img", "src=", "url(", "@import",
        ] {
            assert!(!page.contains(foreign), "{foreign} in the page");
        }
    }
}

#[test]
fn the_checker_of_pages_finds_faults() {
    for page in [
        "<p><b></p></b>",
        "<p>",
        "</p>",
        "<p class=\"a><b></b>",
        "<p <b></b>",
    ] {
        let outcome = std::panic::catch_unwind(|| balanced(page));
        assert!(outcome.is_err(), "{page} passes");
    }
    assert_eq!(balanced("<!DOCTYPE html><p><b>a</b> b</p>"), "a b");
}

#[test]
fn text_from_outside_is_shown_as_text() {
    let page = html(&report(files()));
    let shown = "&lt;script&gt;alert(1)&lt;/script&gt;&quot;'&amp;\u{fffd}[31m\u{fffd}.wav";
    // Twice a file's name, once its path, its error, a stage, two backends and an operation.
    assert_eq!(page.matches(shown).count(), 8);
    assert!(!page.contains('\u{1b}') && !page.contains('\u{202e}'));
}

#[test]
fn the_page_says_what_the_figures_are() {
    let text = balanced(&html(&report(files())));
    let expected = [
        "4 of 6 files mastered to \u{2212}14\u{a0}LUFS, peaks under \u{2212}1\u{a0}dBTP",
        "2 failed",
        "1 verified only",
        "verified, not rendered again",
        "it would take 17.2 dB of limiting",
        "3 samples were not finite and are now 0",
        "found: 1023 bytes wanted: 4096",
        "digital silence",
        "none was needed",
        "not recorded",
        "accelerator acme was given up at songs/one.wav, because it panicked at run time",
        "2.40 s",
        "12 321",
    ];
    for words in expected {
        assert!(text.contains(words), "{words:?} is not on the page");
    }
    assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
}

#[test]
fn a_peak_above_the_ceiling_is_said() {
    for (peak, said) in [(-1.0, false), (-0.8, true)] {
        let delivery = Delivery {
            true_peak_out_dbtp: Some(peak),
            ..delivery()
        };
        let page = html(&report(vec![file("one.wav", Ok(delivery))]));
        let found = page.contains("the true peak is 0.20 dB above the ceiling");
        assert_eq!(found, said, "{peak} dBTP");
        assert_eq!(page.contains("see notes"), said, "{peak} dBTP");
    }
}

#[test]
fn a_file_takes_a_bounded_part_of_the_page() {
    for len in [0, 1, 600, 1024, 100_000] {
        let delivery = Delivery {
            timeline: timeline(len),
            ..delivery()
        };
        let files: Vec<_> = (0..3)
            .map(|i| file(&format!("songs/{i}.wav"), Ok(delivery.clone())))
            .collect();
        let size = html(&report(files)).len();
        assert!(
            size <= FRAME_BYTES + 3 * FILE_BYTES,
            "{size} bytes at {len}"
        );
    }
    assert!(html(&report(Vec::new())).len() <= FRAME_BYTES);
}

#[test]
fn what_was_given_up_is_told_in_sentences() {
    let list = given_up_list(&report(Vec::new()).given_up, false, 60);
    assert!(list.starts_with("backends\n  accelerator acme was given up at"));
    assert!(list.contains("scalar took over"), "{list}");
    assert!(list.lines().all(|line| line.chars().count() <= 60));
    assert!(!list.contains('\u{1b}') && !list.contains('\u{202e}'));
    assert_eq!(given_up_list(&[], true, 60), "");
}
