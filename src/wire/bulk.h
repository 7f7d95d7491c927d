// Elasticsearch's and OpenSearch's _bulk: pairs of lines, an action and a document, and an answer item by item.
// https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"

namespace windlass::wire::bulk {

enum class Operation {
  create,  ///< of a document that is there already, nothing (409): also what data streams want
  index,   ///< writes over it
};

/// "create", "index".
std::string_view to_string(Operation operation);

/// Longer ids of documents are refused, with the whole request that they are in.
inline constexpr std::size_t longest_id = 512;

/// The name of an index, with dates in it: "logs-%{+yyyy.MM.dd}". Between %{+ and }: yyyy, yy, MM, dd, HH, mm and ss;
/// other letters are refused, other characters stand for themselves. UTC. Outside of dates, the letters A to Z become
/// lower case, as an index has no others.
class IndexName {
 public:
  /// Throws std::invalid_argument with a text that quotes what is wrong.
  explicit IndexName(std::string_view pattern);

  bool has_date() const { return has_date_; }
  void append(std::chrono::sys_seconds time, std::string& to) const;

 private:
  struct Part {
    char letter;  ///< of a date: 'y', 'Y' (two digits), 'M', 'd', 'H', 'm', 's'; 0: `text`
    std::string text;
  };
  std::vector<Part> parts_;
  bool has_date_ = false;
};

/// Writes requests.
class RequestEncoder {
 public:
  RequestEncoder(Operation operation, IndexName index);
  ~RequestEncoder();

  /// Appends the lines of one event: without its @metadata, whose _id becomes that of the document; the date of the
  /// index is the event's @timestamp, or `now` where it has none. An id that is empty is none. Returns what is wrong
  /// with an event that can never be sent, of which nothing is appended: it is no JSON object, or has an id beyond
  /// longest_id. Empty: it was appended.
  std::string_view add(std::string_view event, base::WallTime now, base::ByteQueue& out);

 private:
  struct Parsers;

  const Operation operation_;
  const IndexName index_;
  std::unique_ptr<Parsers> parsers_;
  base::ByteQueue scratch_;
  std::string name_;
};

/// What an answer says of one item.
struct ItemResult {
  unsigned status = 0;  ///< 200 to 599
  /// From 300 on: "type: reason, caused by type: reason", as far as they are there, on one line and not too long.
  std::string error;
  friend bool operator==(const ItemResult&, const ItemResult&) = default;
};
/// The items of an answer, in order; nothing when it is no such answer.
std::optional<std::vector<ItemResult>> read_answer(std::string_view body);

}  // namespace windlass::wire::bulk
