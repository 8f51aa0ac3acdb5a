//! What is no key, and must cost little.

use super::*;

fn nothing(what: &str, bytes: &[u8]) {
    assert_eq!(scan(bytes), [], "{what}");
}

#[test]
fn a_truncated_key_is_no_finding() {
    let key = key();
    for length in [0, 1, 15, 16, 40, 47] {
        nothing("base64", base64(&key[..length]).as_bytes());
        nothing("hex", hex(&key[..length]).as_bytes());
        let list: Vec<_> = key[..length].iter().map(|b| format!("0x{b:02x}")).collect();
        nothing("array", list.join(", ").as_bytes());
    }
}

#[test]
fn digests_lock_files_scripts_and_pictures_are_no_findings() {
    let mut hashes = String::new();
    let mut lock = String::new();
    for i in 0..500 {
        hashes += &format!("{}  usr/lib/file-{i}\n", hex(&noise(32, i)));
        let digest = base64(&noise(64, i));
        lock += &format!(
            "\"node_modules/a-{i}\": {{\n \"version\": \"1.{i}.0\",\n \"integrity\": \"sha512-{digest}\",\n \"license\": \"MIT\"}},\n"
        );
    }
    nothing("a list of digests", hashes.as_bytes());
    nothing("package-lock.json", lock.as_bytes());
    nothing("ids one by one", lines(&hex(&noise(20_000, 1)), 40, "\n").as_bytes());
    nothing("a picture", format!("src=\"data:image/png;base64,{}\"", base64(&noise(30_000, 2))).as_bytes());
    nothing(
        "mappings",
        format!("{{\"mappings\":\"{}\"}}", "AAAA,SAASA,GAAMC,EAAGC,GAC;EAChB,OAAOA,".repeat(500)).as_bytes(),
    );
    nothing(
        "a script",
        b"function a(b,c){return b?c.d(e):f.someVeryLongIdentifierName(g_h,0x1f,[1,2,3])}".repeat(500).as_slice(),
    );
    nothing("numbers", (0..9_999).map(|i| (i * i % 256).to_string()).collect::<Vec<_>>().join(",").as_bytes());
    nothing("binary", &noise(300_000, 11));
    nothing("zeros", &[0; 100_000]);
    nothing("spaces", &[b' '; 100_000]);
}

#[test]
fn nothing_panics_whatever_it_is_shown() {
    let alphabets: [&[u8]; 6] = [
        b"ABCab01+/=-_\n\\",
        b"0123456789abcdef:, \n",
        b"\\x012\"'bn\n u",
        b"A\0B\0= ",
        b"%0AD=\r\n23B",
        b"0x{},-: |3f\n",
    ];
    let scanner = scanner();
    for seed in 0..600 {
        let random = noise(700, seed + 1);
        let alphabet = alphabets[seed as usize % alphabets.len()];
        let text: Vec<u8> = random.iter().map(|byte| alphabet[usize::from(*byte) % alphabet.len()]).collect();
        for bytes in [random, text] {
            for fresh in [0..bytes.len(), 100..400, 0..1, 699..700, 350..350] {
                let mut found = Vec::new();
                scanner.scan(&Text { bytes: &bytes, name: b"", depth: 0 }, fresh, &mut found);
            }
        }
    }
}

#[test]
fn every_cut_of_every_encoding_is_harmless() {
    let mut all = format!("k: {}\n{}\n", lines(&base64(&key()), 40, "\\n"), lines(&hex(&key()), 2, ":"));
    all += &format!("\"0.\\x02\\x01\\x00\\060\" %02%01%0 0x{}\n00000000: 302e 0201 0030\n", hex(&key()));
    let all = all.as_bytes();
    for cut in 0..all.len() {
        scan(&all[cut..]);
        scan(&all[..cut]);
    }
}
