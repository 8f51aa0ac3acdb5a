//! `ci-secret-build-arg`: a CI system's secret as a build argument.

use crate::check::ci_secret::{build_args, takes_secret};
use crate::check::file::File;
use crate::check::finding::{Found, Severity};
use crate::check::rule::{Example, Rule};
use crate::wire::text::shown;

pub(super) const RULE: Rule = Rule {
    id: "ci-secret-build-arg",
    about: "a CI secret that is given to a build as an argument",
    why: "The image's history and its provenance keep build arguments with their values: whoever can pull the image can read the secret.",
    remedy: "write it as a [[secret]] of valetkey.toml and build with `valetkey run`, or give it by `--secret id=NAME,env=NAME` (`secrets:` of docker/build-push-action); the step mounts it: --mount=type=secret,id=NAME",
    severity: Severity::Error,
    check,
    examples: &[
        Example::new(
            ".github/workflows/ci.yml",
            "jobs:\n  a:\n    steps:\n      - uses: docker/build-push-action@v6\n        with:\n          push: true\n          build-args: |\n            VERSION=${{ github.sha }}\n            «NPM_TOKEN=${{ secrets.NPM_TOKEN }}»\n            «GH=${{ github.token }}»\n",
        ),
        Example::new(
            ".github/workflows/ci.yml",
            "jobs:\n  a:\n    env:\n      PYPI: ${{ secrets.PYPI }}\n    steps:\n      - run: docker build --build-arg «TOKEN=${{ secrets.T }}» --build-arg A=b --build-arg «X=$PYPI» .\n      - run: docker buildx build «--build-arg=SSH_PRIVATE_KEY=\"$(cat key)\"» --build-arg «PYPI» .\n",
        ),
        Example::new(
            ".github/workflows/ci.yml",
            "jobs:\n  a:\n    steps:\n      - uses: docker/bake-action@v6\n        with:\n          set: |\n            *.platform=linux/amd64\n            «app.args.TOKEN=${{ secrets.T }}»\n",
        ),
        Example::new(
            ".gitlab-ci.yml",
            "build:\n  script:\n    - docker build --build-arg «CI_JOB_TOKEN» --build-arg \"VERSION=$CI_COMMIT_TAG\" .\n",
        ),
        Example::new(
            ".gitlab-ci.yml",
            "build:\n  script:\n    - /kaniko/executor --context . --build-arg «\"NPM=${NPM_TOKEN}\"»\n    - docker build --build-arg «ssh_prv_key=\"$(cat ~/.ssh/id_rsa)\"» .\n",
        ),
        Example::new(
            ".github/workflows/ci.yml",
            "jobs:\n  a:\n    env:\n      TOKEN: ${{ secrets.T }}\n    steps:\n      - uses: docker/build-push-action@v6\n        with:\n          build-args: |\n            SHA=${{ github.sha }}\n            API_KEY=${{ vars.PUBLIC_API_KEY }}\n          secrets: |\n            token=${{ secrets.T }}\n      - run: docker build --secret id=token,env=TOKEN --build-arg TOKEN_URL=$URL --build-arg NEXT_PUBLIC_API_KEY=$KEY --build-arg DATE=\"$(date)\" .\n      - run: echo --build-arg TOKEN=$TOKEN\n",
        ),
    ],
};

fn check(file: &File<'_>, found: &mut Vec<Found>) {
    for step in &file.steps {
        for arg in build_args(step).into_iter().filter(|arg| takes_secret(arg, step)) {
            let message = format!("the build argument {} takes a secret, and the image keeps it", shown(&arg.name));
            found.push(Found::new(arg.span, message));
        }
    }
}
