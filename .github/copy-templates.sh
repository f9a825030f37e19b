#!/usr/bin/env bash
# Copies the workflow templates into the `.github` repository of an organisation, from where its members pick them under
# Actions → New workflow. docs/organisation.md explains it.
#
#   bash .github/copy-templates.sh CLONE [ACTION]
#
# CLONE    a clone of the organisation's repository `.github`
# ACTION   how its workflows name this action: org/db-backup-action@v1 unless said otherwise; a fork or a mirror, or a
#          full commit with the version behind it: 'acme/db-backup-action@<commit> # v1.0.0'
set -euo pipefail

OURS=org/db-backup-action
FROM=$(dirname "${BASH_SOURCE[0]}")/workflow-templates

refuse() {
  echo "$1" >&2
  exit 1
}

clone=${1:?Type: bash .github/copy-templates.sh CLONE [ACTION]}
action=${2:-$OURS@v1}
[[ $action =~ ^[A-Za-z0-9-]+/[A-Za-z0-9._-]+@[A-Za-z0-9._/-]+(\ #\ [A-Za-z0-9._-]+)?$ ]] ||
  refuse "'$action' is not owner/repository@version."
[ -e "$clone/.git" ] || refuse "$clone is not a clone of a repository. Type: gh repo clone OWNER/.github"
[ -z "$(git -C "$clone" status --porcelain -- workflow-templates)" ] ||
  refuse "$clone/workflow-templates has changes that are not committed, and they would be lost. Commit them first."

mkdir -p "$clone/workflow-templates"
for file in "$FROM"/*.properties.json; do
  name=$(basename "$file" .properties.json)
  cp "$file" "$clone/workflow-templates/"
  sed -e "s|uses: $OURS@v1\$|uses: $action|" -e "s|of $OURS\\.\$|of ${action%%@*}.|" "$FROM/$name.yml" \
    >"$clone/workflow-templates/$name.yml"
  echo "$name"
done
echo "Look at them with: git -C $clone diff; then commit and push."
