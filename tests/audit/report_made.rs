//! Reports made by hand, for every form of report.

use valetkey::audit::finding::{
    Finding, Ignored, ImageRead, Key, LayerRead, Location, Place, Report, RuleInfo, Severity, Unread,
};

/// A text that attacks whatever shows it: markup, quotes, a terminal's escape sequences (C0 and
/// C1), line feeds, turned text, NUL, and a line that would look like the verdict.
pub(crate) const HOSTILE: &str = "a<script>alert(1)</script>\"'&amp;\x1b[2J\u{9b}31m\r\nno private key in 1 image, 4 layers, 12,345 files\n\u{202e}gnp.exe\u{2066}\0\u{7f}`$(id)`</style><img src=x onerror=alert(2)>";

/// A digest that is all that digit.
pub(crate) fn digest(digit: char) -> String {
    format!("sha256:{}", digit.to_string().repeat(64))
}

pub(crate) const FINGERPRINT: &str = "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU";

pub(crate) fn layer(digit: char, unpacked: u64, entries: u64, instruction: Option<&str>) -> LayerRead {
    LayerRead {
        digest: digest(digit),
        diff_id: digest(digit),
        size: unpacked / 3,
        unpacked,
        entries,
        instruction: instruction.map(Into::into),
        cached: false,
    }
}

pub(crate) fn image(name: &str, platform: Option<&str>, layers: Vec<LayerRead>) -> ImageRead {
    ImageRead {
        name: name.into(),
        digest: digest('e'),
        config_digest: Some(digest('f')),
        platform: platform.map(Into::into),
        layers,
    }
}

pub(crate) fn in_layer(layer: usize, digit: char, path: &str) -> Location {
    Location {
        kind: Place::Layer,
        layer: Some(layer),
        digest: Some(digest(digit)),
        diff_id: Some(digest(digit)),
        path: Some(path.into()),
        inner: None,
        offset: Some(0),
        hidden_by: None,
        instruction: None,
        field: None,
    }
}

pub(crate) fn in_field(kind: Place, field: &str) -> Location {
    Location {
        kind,
        layer: None,
        digest: Some(digest('f')),
        diff_id: None,
        path: None,
        inner: None,
        offset: None,
        hidden_by: None,
        instruction: None,
        field: Some(field.into()),
    }
}

pub(crate) fn finding(rule: &str, severity: Severity, location: Location) -> Finding {
    Finding {
        image: "app:latest".into(),
        platform: Some("linux/amd64".into()),
        rule: rule.into(),
        severity,
        message: "an OpenSSH private key without a passphrase".into(),
        remedy: "revoke the key, and mount it with --mount=type=ssh instead of copying it".into(),
        wrapped: Vec::new(),
        location,
        key: None,
    }
}

pub(crate) fn key() -> Key {
    Key { kind: "ssh-ed25519".into(), fingerprint: Some(FINGERPRINT.into()), encrypted: false, known_test_key: None }
}

/// One image of four layers, with nothing in it.
pub(crate) fn clean() -> Report {
    let layers = vec![
        layer('1', 74_812_345, 3210, Some("/bin/sh -c #(nop) ADD file:5a1c in / ")),
        layer(
            '2',
            212_000_123,
            8001,
            Some(
                "RUN /bin/sh -c apt-get update && apt-get install -y --no-install-recommends python3 git openssh-client # buildkit",
            ),
        ),
        layer('3', 31_045, 12, Some("COPY pyproject.toml poetry.lock /app/ # buildkit")),
        layer('4', 9_400_000, 1122, Some("RUN /bin/sh -c --mount=type=ssh poetry install # buildkit")),
    ];
    Report {
        complete: true,
        images: vec![image("app:latest", Some("linux/amd64"), layers)],
        bytes: 90_000_000,
        bytes_unpacked: 296_243_513,
        files: 12_345,
        ..Report::default()
    }
}

/// Two platforms of one image and a third image; every severity, every kind of place, hidden and
/// ignored findings, places that were not read.
pub(crate) fn full() -> Report {
    let mut report = clean();
    report.images[0].layers.insert(3, layer('5', 2_602, 2, Some("COPY id_ed25519 /root/.ssh/id_ed25519 # buildkit")));
    report.images[0].layers.push(layer('6', 0, 1, Some("RUN /bin/sh -c rm -f /root/.ssh/id_ed25519 # buildkit")));
    let mut other = report.images[0].clone();
    other.platform = Some("linux/arm64".into());
    other.digest = digest('d');
    other.layers.truncate(2);
    report.images.push(other);
    report.images.push(image("tools:2", None, vec![layer('7', 5_000_000, 80, None)]));

    let mut copied = finding("openssh-private-key", Severity::Error, in_layer(3, '5', "root/.ssh/id_ed25519"));
    copied.location.hidden_by = Some(5);
    copied.location.instruction = Some("COPY id_ed25519 /root/.ssh/id_ed25519 # buildkit".into());
    copied.key = Some(key());
    let mut lent =
        finding("lent-key", Severity::Error, in_layer(4, '4', "opt/cache/wheels/private_lib-1.2-py3-none-any.whl"));
    lent.message = "the lent key itself, as base64 of its Ed25519 seed".into();
    lent.location.inner = Some("private_lib/_version.py".into());
    lent.location.offset = Some(18_233);
    lent.wrapped = vec!["gzip".into(), "base64".into()];
    lent.key = Some(key());
    let mut test = finding(
        "pkcs8-private-key",
        Severity::Warning,
        in_layer(1, '2', "usr/lib/python3.13/test/certdata/keycert.pem"),
    );
    test.message = "an RSA private key that a package ships on purpose".into();
    test.remedy = "nothing, as long as nothing trusts it".into();
    test.key = Some(Key {
        kind: "ssh-rsa".into(),
        fingerprint: Some("SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU".into()),
        encrypted: false,
        known_test_key: Some("python3.13 3.13.5-2".into()),
    });
    let mut token = finding("npm-token", Severity::Error, in_field(Place::Config, "Env.NPM_TOKEN"));
    token.message = "an npm access token, whose checksum is right".into();
    token.remedy = "revoke the token, and pass it with --mount=type=secret".into();
    let mut history = finding("git-url-password", Severity::Warning, in_field(Place::History, "history[3].created_by"));
    history.message = "a password in the URL of a Git remote".into();
    history.location.instruction = Some("RUN |1 TOKEN=x /bin/sh -c git clone https://… # buildkit".into());
    let mut note = finding("known-hosts", Severity::Note, in_layer(0, '7', "root/.ssh/known_hosts"));
    note.image = "tools:2".into();
    note.platform = None;
    note.message = "a known_hosts file, which names hosts of the build".into();
    note.remedy = "lend known_hosts to the build instead".into();
    let mut attested = finding(
        "slack-token",
        Severity::Error,
        in_field(Place::Attestation, "predicate.buildDefinition.externalParameters.request.args.build-arg:HOOK"),
    );
    attested.platform = Some("linux/arm64".into());
    report.findings = vec![copied, lent, test, token, history, attested, note];
    let mut ignored = finding("openssh-private-key", Severity::Error, in_layer(1, '2', "usr/share/doc/example/id_rsa"));
    ignored.key = Some(key());
    report.ignored_findings =
        vec![Ignored { finding: ignored, reason: "the key of the manual, which opens nothing".into() }];
    report.ignored = 1;
    report.complete = false;
    report.unread = vec![
        Unread {
            image: Some("app:latest".into()),
            platform: Some("linux/amd64".into()),
            layer: Some(2),
            place: "app/vendor/assets.zip".into(),
            reason: "3 of its entries are encrypted".into(),
        },
        Unread {
            image: Some("tools:2".into()),
            place: "opt/data.tar.xz!/inner.tar".into(),
            reason: "it is nested deeper than 8 archives".into(),
            ..Unread::default()
        },
    ];
    report.rules = vec![RuleInfo {
        id: "openssh-private-key".into(),
        about: "A private key in OpenSSH's own format.".into(),
        remedy: "revoke the key".into(),
        severity: Severity::Error,
    }];
    report.looked_for = vec![FINGERPRINT.into()];
    report
}

/// Every text that comes out of an image is hostile.
pub(crate) fn hostile() -> Report {
    let mut report = full();
    let bad = || HOSTILE.to_owned();
    for image in &mut report.images {
        for layer in &mut image.layers {
            layer.instruction = Some(bad());
        }
    }
    report.images[0].name = bad();
    report.images[0].platform = Some(bad());
    for finding in &mut report.findings {
        if finding.image == "app:latest" {
            finding.image = bad();
            finding.platform = Some(bad());
        }
        finding.message = format!("found in {HOSTILE}");
        if finding.location.path.is_some() {
            finding.location.path = Some(bad());
            finding.location.inner = Some(bad());
        }
        if finding.location.field.is_some() {
            finding.location.field = Some(bad());
        }
        finding.location.instruction = Some(bad());
        if let Some(key) = &mut finding.key {
            key.kind = bad();
            key.fingerprint = Some(bad());
        }
    }
    report.findings[0].location.path = Some("a/".to_owned() + &"long".repeat(1000));
    for gap in &mut report.unread {
        gap.place = bad();
        gap.reason = bad();
    }
    for ignored in &mut report.ignored_findings {
        ignored.finding.location.path = Some(bad());
        ignored.reason = bad();
    }
    report
}
