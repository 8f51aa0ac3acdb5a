"""One image in the forms that it is saved in: Docker's legacy archive, OCI with gzip, OCI with zstd.

Owns tars, digests and manifests. Knows nothing of keys.
"""

import gzip
import hashlib
import io
import json
import os
import tarfile
from dataclasses import dataclass, field

import wrapping as e

MEDIA = "application/vnd.oci.image."


@dataclass
class Entry:
    """An entry of a layer; `path` is bytes."""

    path: bytes
    data: bytes = b""
    type: bytes = tarfile.REGTYPE
    target: str = ""
    pax: dict = field(default_factory=dict)


@dataclass
class Image:
    """Layers from the base upwards, and what is said of them."""

    layers: list[list[Entry]] = field(default_factory=list)
    # Of the config's own part.
    config: dict = field(default_factory=dict)
    # `created_by` of each layer, and of steps that made none: (text, empty).
    history: list[tuple[str, bool]] = field(default_factory=list)
    annotations: dict = field(default_factory=dict)
    index_annotations: dict = field(default_factory=dict)
    # The document of an attestation, as BuildKit attaches it.
    statement: dict | None = None


def layer(entries, form):
    """A layer's tar."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form, encoding="utf-8", errors="surrogateescape") as tar:
        for entry in entries:
            info = tarfile.TarInfo(entry.path.decode("utf-8", "surrogateescape"))
            info.type, info.size, info.linkname, info.pax_headers = entry.type, len(entry.data), entry.target, entry.pax
            tar.addfile(info, io.BytesIO(entry.data))
    return out.getvalue()


def digest(data):
    return hashlib.sha256(data).hexdigest()


def descriptor(media, data, **more):
    return {"mediaType": media, "digest": "sha256:" + digest(data), "size": len(data), **more}


def document(value):
    return json.dumps(value).encode()


class Saved:
    """The image as it is written."""

    def __init__(self, image):
        self.image = image
        forms = [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]
        self.tars = [layer(entries, forms[index % 2]) for index, entries in enumerate(image.layers)]
        self.config = document({
            "architecture": "amd64", "os": "linux", "config": image.config,
            "history": [{"created_by": text, **({"empty_layer": True} if empty else {})} for text, empty in image.history],
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest(tar) for tar in self.tars]},
        })

    def docker(self, path):
        """As `docker image save` wrote it until version 25."""
        files, names = [], []
        for index, tar in enumerate(self.tars):
            name = digest(b"%d" % index + tar)
            files += [(name + "/VERSION", b"1.0"), (name + "/json", document({"id": name, "os": "linux"})), (name + "/layer.tar", tar)]
            names.append(name + "/layer.tar")
        config = digest(self.config) + ".json"
        files += [(config, self.config), ("repositories", document({"corpus": {"1": names[-1].split("/")[0]}}))]
        files.append(("manifest.json", document([{"Config": config, "RepoTags": ["corpus:1"], "Layers": names}])))
        archive(path, files)

    def oci(self, path, suffix, compress):
        """As `docker buildx build --output type=oci` and `skopeo` write it."""
        blobs, layers = [self.config], []
        for tar in self.tars:
            blob = compress(tar)
            blobs.append(blob)
            layers.append(descriptor(MEDIA + "layer.v1.tar+" + suffix, blob))
        config = descriptor(MEDIA + "config.v1+json", self.config)
        manifest = self.manifest(config, layers, annotations=self.image.annotations)
        blobs.append(manifest)
        platform = {"os": "linux", "architecture": "amd64"}
        manifests = [descriptor(MEDIA + "manifest.v1+json", manifest, platform=platform)]
        if self.image.statement:
            manifests.append(self.attestation(manifest, blobs))
        index = document({"schemaVersion": 2, "mediaType": MEDIA + "index.v1+json", "manifests": manifests})
        blobs.append(index)
        names = {"org.opencontainers.image.ref.name": "1", "io.containerd.image.name": "corpus:1"}
        root = descriptor(MEDIA + "index.v1+json", index, annotations={**names, **self.image.index_annotations})
        files = [("blobs/sha256/" + digest(blob), blob) for blob in blobs]
        files += [("index.json", document({"schemaVersion": 2, "manifests": [root]})), ("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')]
        archive(path, files)

    def manifest(self, config, layers, **more):
        return document({"schemaVersion": 2, "mediaType": MEDIA + "manifest.v1+json", "config": config, "layers": layers, **more})

    def attestation(self, manifest, blobs):
        statement = document(self.image.statement)
        predicate = {"in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2"}
        layers = [descriptor("application/vnd.in-toto+json", statement, annotations=predicate)]
        config = document({
            "architecture": "unknown", "os": "unknown", "config": {},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest(statement)]},
        })
        attestation = self.manifest(descriptor(MEDIA + "config.v1+json", config), layers)
        blobs += [statement, config, attestation]
        annotations = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": "sha256:" + digest(manifest)}
        platform = {"os": "unknown", "architecture": "unknown"}
        return descriptor(MEDIA + "manifest.v1+json", attestation, platform=platform, annotations=annotations)


def archive(path, files):
    with tarfile.open(path, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in files:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


def save(image, folder):
    """Writes every form into the folder, and gives their files by name."""
    saved = Saved(image)
    saved.docker(os.path.join(folder, "docker.tar"))
    saved.oci(os.path.join(folder, "oci-gzip.tar"), "gzip", lambda tar: gzip.compress(tar, 1, mtime=0))
    saved.oci(os.path.join(folder, "oci-zstd.tar"), "zstd", e.zstd)
    return {"docker": "docker.tar", "oci-gzip": "oci-gzip.tar", "oci-zstd": "oci-zstd.tar"}
