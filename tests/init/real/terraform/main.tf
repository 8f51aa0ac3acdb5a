module "a" {
  source = "git::ssh://git@git.example.com/org/tfmod.git//sub?ref=v1.0.0"
}

module "b" {
  source = "git@git.example.com:org/tfmod.git"
}

module "c" {
  source = "github.com/org/tfmod//sub?ref=v1.0.0"
}

module "d" {
  source = "git@github.com:org/tfmod.git?depth=1"
}

module "e" {
  source = "git::https://git.example.com/org/tfmod.git"
}

module "f" {
  source = "./local"
}
