use super::*;
use crate::check::mapped::Mapped;
use crate::check::script::read;

fn seen(script: &str) -> Option<(String, String)> {
    let commands = read(&Mapped::whole(script.as_bytes(), 0), &[]);
    let fetch = of(commands.first()?)?;
    let text = |word: &Word| String::from_utf8_lossy(&word.text).into_owned();
    Some((fetch.ssh_address().map(text).unwrap_or_default(), fetch.files().join(" ")))
}

#[test]
fn addresses_over_ssh_are_known_in_every_form() {
    for word in [
        "git@git.example.com:org/repo.git",
        "git@$HOST:org/repo",
        "ssh://git@git.example.com:2222/org/repo.git",
        "git+ssh://git@git.example.com/org/repo.git@v1#egg=x",
        "x @ git+ssh://git@git.example.com/org/repo",
        "--git=ssh://git.example.com/org/repo",
    ] {
        assert!(address(word.as_bytes()).is_some(), "{word}");
    }
    for word in
        ["https://git@git.example.com:443/org/repo", "a:b", "x@1.2:", "@scope/x@1", "$REPO", "user@host", "a b@c:d"]
    {
        assert_eq!(address(word.as_bytes()), None, "{word}");
    }
}

#[test]
fn a_command_names_a_repository_or_the_files_that_do() {
    let address = "git@git.example.com:org/repo";
    for command in [
        "git clone",
        "sudo git -c a=b -C /x clone --depth 1",
        "git fetch",
        "pip install",
        "python3 -m pip install -e",
        "uv pip install",
        "npm i",
        "yarn add",
        "cargo install --git",
    ] {
        assert_eq!(seen(&format!("{command} {address}")).unwrap_or_default().0, address, "{command}");
    }
    for (command, files) in [
        ("pip install -r a/requirements.txt -c c.txt", "a/requirements.txt c.txt"),
        ("pip3.12 install --requirement=./r.txt -rs.txt", "r.txt s.txt"),
        ("pip install .[dev]", "pyproject.toml setup.cfg"),
        ("poetry install --no-root", "poetry.lock pyproject.toml"),
        ("uv sync --frozen", "uv.lock pyproject.toml"),
        ("npm --prefix x ci", "package-lock.json npm-shrinkwrap.json package.json"),
        ("yarn --frozen-lockfile", "yarn.lock package.json"),
        ("corepack pnpm fetch", "pnpm-lock.yaml package.json"),
        ("go mod download", "go.mod"),
        ("cargo +nightly build --release", "Cargo.lock Cargo.toml"),
        ("bundle install -j4", "Gemfile.lock Gemfile"),
        ("tofu init", "*.tf"),
        ("git submodule update --init", ".gitmodules"),
    ] {
        assert_eq!(seen(command).unwrap_or_default().1, files, "{command}");
    }
}

#[test]
fn what_fetches_nothing_of_the_project_names_nothing() {
    for command in [
        "npm install -g yarn",
        "npm run build",
        "yarn build",
        "yarn --version",
        "cargo build --offline",
        "go mod edit",
        "go version",
        "pip install x",
        "git remote add origin git@h:x",
        "poetry config a b",
        "make",
        "pip --version",
    ] {
        let empty = (String::new(), String::new());
        assert_eq!(seen(command).unwrap_or_default(), empty, "{command}");
    }
}
