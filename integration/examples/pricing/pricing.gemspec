Gem::Specification.new do |spec|
  spec.name = "pricing"
  spec.version = "1.0.0"
  spec.summary = "A private package"
  spec.authors = ["platform"]
  spec.files = ["lib/pricing.rb"]
end
