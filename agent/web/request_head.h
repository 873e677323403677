// SPDX-License-Identifier: Apache-2.0
// Whether the head of a request can be trusted to mean what it seems to mean. Pure, so that the
// rule is a table in a test.
#pragma once

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace ua {

/// A head as libmicrohttpd leaves it: the bytes that were sent, in their place, with a zero byte
/// over each separator. It reads C strings, so a zero byte that a client sent ends a text early and
/// the rest of it is never seen; only the distance to the text behind it tells. Nothing tells of
/// one in place of the CR of a line's end, which is taken for a CR, and of one that a line before
/// the request begins with, which is taken for an empty line.
struct RequestHead {
  std::string_view method;
  std::string_view uri;      ///< with its query
  std::string_view version;  ///< "HTTP/1.1"
  /// As they came: all of them, in order, those that come twice too.
  std::vector<std::pair<std::string_view, std::string_view>> headers;
  const char* end = nullptr;  ///< behind the empty line; null: not laid out like that
};

struct HeadRefusal {
  unsigned code;  ///< 400, 413
  std::string_view text;
};

/// Refuses what two readers could take for different requests (RFC 9112, sections 2.2, 3, 3.2, 5.1,
/// 5.2, 6.1, 6.3: zero bytes, lone line ends, folded lines, spaces in the target, several lengths,
/// no or several hosts, several origins or passwords) and any body: nothing here takes one, and who
/// waits for it waits as long as the client likes. The connection has to end with the reply, since
/// nobody can say where the next request begins.
std::optional<HeadRefusal> refuse_head(const RequestHead& head);

}  // namespace ua
