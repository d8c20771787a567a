# Every target installs what it needs where it may, and says what is missing where it may not.
.PHONY: run build test check dev bench web fmt

run: build ## build, and serve on SQLite in ./data
	target/release/muster serve

build: ## the release binary, with the page inside it: target/release/muster
	scripts/install build
	scripts/build

web:
	scripts/install build
	scripts/build-web release

test: ## everything: unit, property, the registry on both databases, and the browser
	scripts/install test
	scripts/test

check: ## formatting, lints for the server and the browser, licences and advisories
	scripts/install check
	scripts/check

dev: ## serve a debug build, and again after each change
	scripts/install build
	cd end2end && npx nodemon --quiet --cwd .. --watch app --watch server --watch style --watch public \
		--ext rs,css,js,svg,sql,toml --exec 'scripts/build-web debug && MUSTER_PAGE=debug cargo run --quiet --package muster -- serve'

bench: build ## measures, each beside its limit in the same run
	scripts/install test
	bench/run

fmt:
	cargo fmt --all
