// SPDX-License-Identifier: Apache-2.0
#include "collectors/discovery/nginx_config.h"

#include <sys/stat.h>
#include <unistd.h>

#include "tests/agent/directory.h"
#include "tests/catch.h"

namespace ua {
namespace {

using Lines = std::vector<std::string>;

/// Problems without the folder's own name.
Lines problems(const NginxConfig& config) {
  Lines result;
  const std::string root = config.root.string();
  for (std::string problem : config.problems) {
    for (std::size_t at = 0; (at = problem.find(root)) != std::string::npos;) {
      problem.replace(at, root.size(), "ROOT");
    }
    result.push_back(problem);
  }
  return result;
}

Lines names(const std::vector<NginxDirective>& directives) {
  Lines result;
  for (const NginxDirective& directive : directives) result.push_back(directive.name);
  return result;
}

TEST_CASE("includes are globbed in order and relative to nginx.conf wherever they stand") {
  const Directory directory;
  const std::filesystem::path root = directory / "nginx";
  directory.write("nginx/nginx.conf", "a;\ninclude conf.d/*.conf;\nb { include snip/x; }");
  directory.write("nginx/conf.d/2.conf", "two;");
  directory.write("nginx/conf.d/1.conf", "include snip/x;\none;");
  directory.write("nginx/conf.d/3.txt", "three;");
  directory.write("nginx/snip/x", "x;");
  const NginxConfig config = read_nginx(root);
  CHECK(names(config.directives) == Lines{"a", "x", "one", "two", "b"});
  CHECK(names(config.directives.back().block) == Lines{"x"});
  CHECK(config.directives[1].file == root / "snip/x");
  CHECK(config.directives[2].line == 2);
  CHECK(config.problems.empty());
  CHECK(config.root == root);
}

TEST_CASE("an include without a file is told, one without a match is not") {
  const Directory directory;
  const std::filesystem::path root = directory / "nginx";
  directory.write("nginx/nginx.conf",
                  "include gone.conf;\ninclude gone*.conf;\ninclude folder;\na;");
  directory.write("nginx/folder/x", "x;");
  const NginxConfig config = read_nginx(root);
  CHECK(names(config.directives) == Lines{"a"});
  CHECK(problems(config) == Lines{"cannot open ROOT/gone.conf: No such file or directory",
                                  "ROOT/folder is not a regular file"});
}

TEST_CASE("a snippet may be included very often, itself never") {
  const Directory directory;
  const std::filesystem::path root = directory / "nginx";
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "include snip;\n";
  directory.write("nginx/nginx.conf", text);
  directory.write("nginx/snip", "x;\ninclude snip;\n");
  const NginxConfig config = read_nginx(root);
  CHECK(config.directives.size() == 3000);
  CHECK(problems(config) == Lines{"ROOT/snip: includes itself"});
}

TEST_CASE("snippets that include snippets are bounded in all") {
  const Directory directory;
  const std::filesystem::path root = directory / "nginx";
  directory.write("nginx/nginx.conf", "include 0;");
  for (int i = 0; i < 12; ++i) {
    std::string text;
    for (int k = 0; k < 10; ++k) text += "include " + std::to_string(i + 1) + ";\n";
    directory.write("nginx/" + std::to_string(i), text);
  }
  directory.write("nginx/12", "x;");
  const NginxConfig config = read_nginx(root);
  CHECK(config.directives.size() > 50'000);
  CHECK(config.directives.size() <= 200'000);
  REQUIRE(config.problems.size() == 1);
  CHECK(config.problems[0].ends_with(": not read, nor what else would be: too much is included"));
}

TEST_CASE("files that are none of nginx's are not quoted, and do not flood") {
  const Directory directory;
  const std::filesystem::path root = directory / "nginx";
  directory.write("nginx/nginx.conf", "include conf.d/*;\na;");
  for (int i = 100; i < 250; ++i) {
    directory.write("nginx/conf.d/" + std::to_string(i), "alice:$apr1$hunter2\nbob:hunter2\n");
  }
  const NginxConfig config = read_nginx(root);
  CHECK(names(config.directives) == Lines{"a"});
  const Lines found = problems(config);
  REQUIRE(found.size() == 101);
  CHECK(found[0] == "ROOT/conf.d/100:1: a directive is not ended by ';'");
  CHECK(found[100] ==
        "ROOT/conf.d/200:1: a directive is not ended by ';' (and there is more, which "
        "is left out)");
}

TEST_CASE("without nginx there is nothing to tell; what may not be read is told") {
  const Directory directory;
  const std::filesystem::path root = directory / "nginx";
  CHECK(read_nginx(root).problems.empty());
  CHECK(read_nginx(root / "gone").problems.empty());
  if (::geteuid() == 0) return;  // root reads everything
  directory.write("nginx/nginx.conf", "include conf.d/*;");
  directory.write("nginx/conf.d/x", "x;");
  ::chmod((root / "conf.d").c_str(), 0);
  CHECK(problems(read_nginx(root)) == Lines{"ROOT/nginx.conf:1: ROOT/conf.d cannot be listed"});
  ::chmod((root / "conf.d").c_str(), 0700);
  ::chmod(root.c_str(), 0);
  CHECK(problems(read_nginx(root)) == Lines{"cannot open ROOT/nginx.conf: Permission denied"});
  ::chmod(root.c_str(), 0700);
}

}  // namespace
}  // namespace ua
