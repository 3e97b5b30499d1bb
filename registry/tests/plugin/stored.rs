//! What is kept of a plugin by its hash: the copy, the verdict, the quarantine and its end.

use std::fs;

use auralis_registry::plugin::{Clear, Host, Inspection, Store, Verdict, inspect};
use libtest_mimic::Trial;

use crate::support::{Sandbox, allowed, trial};

pub fn trials() -> Vec<Trial> {
    vec![
        trial("stored::a_verdict_is_kept", a_verdict_is_kept),
        trial("stored::quarantine_and_its_end", quarantine),
        trial("stored::what_is_meant", what_is_meant),
        trial("stored::another_host_tries_again", another_host),
        trial("stored::a_damaged_record_is_none", damaged_record),
        trial("stored::a_damaged_copy_is_replaced", damaged_copy),
        #[cfg(unix)]
        trial("stored::it_is_private", private),
    ]
}

fn seen(sandbox: &Sandbox, name: &str, store: &Store) -> Inspection {
    inspect(&sandbox.path(name), &allowed(), Some(store))
}

fn a_verdict_is_kept() {
    let sandbox = Sandbox::new();
    let file = sandbox.fixture("good.so");
    let loader = sandbox.loader();
    assert!(!seen(&sandbox, "good.so", loader.store()).probed);
    loader.load(&file, &allowed()).unwrap();
    assert!(seen(&sandbox, "good.so", loader.store()).probed);
    // What is known needs no test.
    let without = auralis_registry::plugin::Loader::new(sandbox.store(), None);
    without.load(&file, &allowed()).unwrap();
}

/// The plugin's file fails, whatever its name: what is known is its hash.
fn quarantined(sandbox: &Sandbox) -> Store {
    // The copy's name is the hash, so that the child can't go by it: the library itself is at fault.
    let store = sandbox.store();
    let file = sandbox.fixture("bad.so");
    let library = auralis_registry::plugin::LibraryFile::read(&file, None).unwrap();
    store
        .keep(
            &library,
            Some(("killed by SIGSEGV", Some("SIGSEGV"))),
            Vec::new(),
        )
        .unwrap();
    store
}

fn quarantine() {
    let sandbox = Sandbox::new();
    let store = quarantined(&sandbox);
    let file = sandbox.path("bad.so");
    let found = seen(&sandbox, "bad.so", &store);
    assert_eq!(found.verdict, Verdict::Quarantined);
    let reason = found.reason.unwrap();
    assert!(
        reason.starts_with("in quarantine") && reason.ends_with("killed by SIGSEGV"),
        "{reason}"
    );
    let error = sandbox.loader().load(&file, &allowed()).unwrap_err();
    assert!(
        error.report().contains("killed by SIGSEGV"),
        "{}",
        error.report()
    );
    // Another name does not help, other bytes do.
    sandbox.fixture("renamed.so");
    assert_eq!(
        seen(&sandbox, "renamed.so", &store).verdict,
        Verdict::Quarantined
    );
    let mut bytes = fs::read(&file).unwrap();
    bytes.push(0);
    sandbox.write("changed.so", &bytes);
    assert_eq!(
        seen(&sandbox, "changed.so", &store).verdict,
        Verdict::Accepted
    );

    let sha256 = found.sha256.unwrap();
    let [record] = &store.quarantined().unwrap()[..] else {
        panic!("{:?}", store.quarantined());
    };
    assert_eq!((&record.file, &record.sha256), (&file, &sha256));
    assert_eq!(record.signal.as_deref(), Some("SIGSEGV"));
    assert_eq!(record.host, Host::here());
    assert!(record.time > 0);
    let cases = [
        (Clear::Sha256("0123456789".into()), 0),
        (Clear::File("/elsewhere.so".into()), 0),
        (Clear::Sha256(sha256[..12].to_uppercase()), 1),
        (Clear::File(file.clone()), 1),
        (Clear::All, 1),
    ];
    sandbox.fixture("same.so");
    let link = sandbox.path("link.so");
    #[cfg(unix)]
    std::os::unix::fs::symlink(&file, &link).unwrap();
    #[cfg(not(unix))]
    sandbox.fixture("link.so");
    let same = [sandbox.path("same.so"), link, sandbox.path("changed.so")];
    let named = same.map(Clear::File).into_iter().zip([1, 1, 0]);
    for (which, lifted) in named.chain(cases) {
        let store = quarantined(&sandbox);
        assert_eq!(store.clear(&which).unwrap().len(), lifted, "{which:?}");
        assert_eq!(store.quarantined().unwrap().len(), 1 - lifted, "{which:?}");
    }
    sandbox.loader().load(&file, &allowed()).unwrap();
}

fn what_is_meant() {
    let sandbox = Sandbox::new();
    let file = sandbox.fixture("abcd");
    let cases = [
        (file.as_path(), Clear::File(file.clone())),
        ("abcd1234".as_ref(), Clear::Sha256("abcd1234".into())),
        ("gone.so".as_ref(), Clear::File("gone.so".into())),
    ];
    for (text, meant) in cases {
        assert_eq!(Clear::named(text).unwrap(), meant);
    }
    let error = Clear::named("abc".as_ref()).unwrap_err();
    assert_eq!(
        error.report(),
        "the beginning of a SHA-256 needs 4 digits at least (found: abc)"
    );
}

fn another_host() {
    let sandbox = Sandbox::new();
    let store = quarantined(&sandbox);
    let here = Host::here();
    let others = [
        Host {
            version: "auralis 99.0.0".into(),
            ..here.clone()
        },
        Host {
            cpu: vec!["neon".into(), "sve".into()],
            ..here.clone()
        },
    ];
    for host in others {
        let store = store.clone().for_host(host);
        assert_eq!(seen(&sandbox, "bad.so", &store).verdict, Verdict::Accepted);
    }
    let store = store.for_host(here);
    assert_eq!(
        seen(&sandbox, "bad.so", &store).verdict,
        Verdict::Quarantined
    );
}

fn damaged_record() {
    let sandbox = Sandbox::new();
    let store = quarantined(&sandbox);
    let sha256 = seen(&sandbox, "bad.so", &store).sha256.unwrap();
    let record = store.folder().join(format!("{sha256}.json"));
    let whole = fs::read(&record).unwrap();
    for damaged in [&b""[..], b"{", &whole[..whole.len() / 2], b"\xFF\xFE"] {
        fs::write(&record, damaged).unwrap();
        assert_eq!(seen(&sandbox, "bad.so", &store).verdict, Verdict::Accepted);
        assert!(store.quarantined().unwrap().is_empty());
    }
}

fn damaged_copy() {
    let sandbox = Sandbox::new();
    let file = sandbox.fixture("good.so");
    let loader = sandbox.loader();
    let library = auralis_registry::plugin::LibraryFile::read(&file, None).unwrap();
    let copy = loader.store().copy(&library).unwrap();
    assert_eq!(fs::read(&copy).unwrap(), library.bytes);
    fs::write(&copy, b"something else").unwrap();
    assert_eq!(loader.store().copy(&library).unwrap(), copy);
    assert_eq!(fs::read(&copy).unwrap(), library.bytes);
}

#[cfg(unix)]
fn private() {
    use std::os::unix::fs::PermissionsExt;

    let sandbox = Sandbox::new();
    let file = sandbox.fixture("good.so");
    let store = sandbox.store();
    let library = auralis_registry::plugin::LibraryFile::read(&file, None).unwrap();
    let copy = store.copy(&library).unwrap();
    store.keep(&library, None, Vec::new()).unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(store.folder()), 0o700);
    assert_eq!(mode(&copy), 0o600);
    let above = sandbox.path("open");
    fs::create_dir(&above).unwrap();
    fs::set_permissions(&above, PermissionsExt::from_mode(0o777)).unwrap();
    let error = Store::at(above.join("store")).unwrap_err();
    let report = error.report();
    let says = "the folder where copies of plugins are kept is not safe";
    assert!(
        report.starts_with(says) && report.contains("others may write"),
        "{report}"
    );
}
