# Names for what is done often; .ci/run says how.
.PHONY: build test race fuzz crash bench gen lint ci

build:
	go build -o ottla ./cmd/ottla
test:
	.ci/run hermetic
race fuzz crash lint:
	.ci/run $@
bench:
	go run ./test/bench -quick
gen:
	go generate ./...
ci:
	.ci/run
