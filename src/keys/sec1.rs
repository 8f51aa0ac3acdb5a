//! `EC PRIVATE KEY`: SEC1's `ECPrivateKey` (RFC 5915), on its own or inside PKCS#8.

use der::Decode as _;
use der::asn1::ObjectIdentifier;
use zeroize::Zeroizing;

use super::pkcs1::whole;
use super::rejected::Rejected;
use crate::signer::{Curve, Parts};

const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");

/// Reads a key; `outer` is the curve that PKCS#8 named around it.
pub(super) fn read(der: &[u8], outer: Option<ObjectIdentifier>) -> Result<Parts, Rejected> {
    whole(der)?;
    let key = ::sec1::EcPrivateKey::from_der(der).map_err(|_| Rejected::Damaged)?;
    let inner = key.parameters.and_then(::sec1::EcParameters::named_curve);
    let curve = match (outer, inner) {
        (Some(outer), Some(inner)) if outer != inner => return Err(Rejected::Inconsistent),
        (outer, inner) => outer.or(inner),
    };
    let curve = match curve {
        Some(P256) => Curve::P256,
        Some(P384) => Curve::P384,
        Some(P521) => Curve::P521,
        _ => return Err(Rejected::Kind("an elliptic curve that SSH does not use")),
    };
    let scalar = Zeroizing::new(key.private_key.to_vec());
    Ok(Parts::Ecdsa { curve, scalar, point: key.public_key.map(<[u8]>::to_vec) })
}
