#!/bin/sh
# Run each end-to-end file on its own, and one that fails once more: a browser that drives an editor loses a key press now
# and then. What fails twice fails. Screenshots of every step are in test-results/.
cd "$(dirname "$0")/../.."
node=node_modules/node/bin/node
status=0
for file in tests/e2e/*.test.mjs; do
    $node --test --test-concurrency=1 "$file" && continue
    echo "--- $file failed; once more"
    $node --test --test-concurrency=1 "$file" || status=1
done
exit $status
