//! Tunnel frames: what was taken for one is written as exactly the bytes that it was read from.

use valetkey::wire::tunnel::{Chunks, Request, Response};
use valetkey::wire::tunnel_host::chunk_head;

pub(crate) fn check(data: &[u8]) {
    if let Ok(request) = Request::parse(data) {
        let mut written = Vec::new();
        request.write(&mut |bytes| written.extend_from_slice(bytes));
        assert_eq!(written, data);
    }
    if let Ok(response) = Response::parse(data) {
        let mut written = Vec::new();
        response.write(&mut |bytes| written.extend_from_slice(bytes));
        assert_eq!(written, data);
    }
    let mut written = Vec::new();
    let mut damaged = 0;
    for chunk in Chunks::new(data) {
        assert_eq!(damaged, 0, "nothing follows a damaged chunk");
        match chunk {
            Ok((kind, bytes)) => {
                written.extend_from_slice(&chunk_head(kind, u32::try_from(bytes.len()).expect("bounded")));
                written.extend_from_slice(bytes);
            }
            Err(_) => damaged += 1,
        }
    }
    assert!(data.starts_with(&written) && (written.len() == data.len()) == (damaged == 0));
}
