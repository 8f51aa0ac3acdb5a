module github.com/platform/pricing

go 1.19
