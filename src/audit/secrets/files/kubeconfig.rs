//! Kubernetes: a user's token, key or password in a kubeconfig.

use super::{CredentialFile, Hit};
use crate::audit::finding::Severity;

pub(super) const FILE: CredentialFile = CredentialFile {
    id: "kubeconfig-credentials",
    kind: "a credential of a Kubernetes cluster",
    severity: Severity::Error,
    remedy: super::MOUNT,
    paths: &[
        ".kube/config",
        "kubeconfig",
        "*.kubeconfig",
        "kubeconfig.yaml",
        "kubeconfig.yml",
        "etc/kubernetes/admin.conf",
    ],
    look,
    #[cfg(test)]
    examples,
};

fn look(text: &[u8], hit: &mut dyn FnMut(Hit)) {
    // Every kubeconfig has users; so have other files of these names, but no clusters.
    if memchr::memmem::find(text, b"clusters").is_none() || memchr::memmem::find(text, b"users").is_none() {
        return;
    }
    let names = ["token", "client-key-data", "password", "id-token", "refresh-token"];
    super::assignments::named(text, b":", &names, hit);
    super::json::named(text, &names, |value| {
        // One to a line is what the lines above have shown.
        let line = text[..value.start].rsplit(|byte| *byte == b'\n').next().unwrap_or(b"");
        if line.iter().filter(|byte| **byte == b':').count() > 1 || line.trim_ascii_start().starts_with(b"{") {
            hit(Hit::at(value));
        }
    });
}

#[cfg(test)]
fn examples() -> crate::audit::secrets::Examples {
    crate::audit::secrets::Examples {
        found: vec![
            format!(
                "apiVersion: v1\nclusters: []\nusers:\n- name: a\n  user:\n    token: {}\n",
                crate::audit::secrets::made::base62(40, 1)
            ),
            format!(
                "clusters:\nusers:\n- user:\n    client-certificate-data: x\n    client-key-data: {}\n",
                crate::audit::secrets::made::base62(40, 1)
            ),
            r#"{"clusters": [], "users": [{"user": {"token": "hunter2hunter2"}}]}"#.to_owned(),
            "{\n\"clusters\": [], \"users\": [{\n\"token\": \"hunter2hunter2\"}]}".to_owned(),
        ],
        not: vec![
            "apiVersion: v1\nclusters: []\nusers:\n- name: a\n  user:\n    tokenFile: /a\n    token: ''\n".to_owned(),
            "token: hunter2hunter2\n".to_owned(),
        ],
    }
}
