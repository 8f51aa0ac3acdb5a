module Pricing
  NAME = "the private pricing"
end
