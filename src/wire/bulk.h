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

/// The name of an index, with dates in it: "logs-%{+yyyy.MM.dd}". Between %{+ and }: yyyy, yy, MM, dd, HH, mm and ss;
/// other letters are refused, other characters stand for themselves. UTC.
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
  /// index is the event's @timestamp, or `now` where it has none. False, and nothing is appended, when it is no JSON
  /// object.
  bool add(std::string_view event, base::WallTime now, base::ByteQueue& out);

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
  std::string error;    ///< from 300 on: "type: reason", as far as they are there, on one line and not too long
  friend bool operator==(const ItemResult&, const ItemResult&) = default;
};
/// The items of an answer, in order; nothing when it is no such answer.
std::optional<std::vector<ItemResult>> read_answer(std::string_view body);

// What a server needs.

struct Item {
  Operation operation = Operation::index;
  std::string id;             ///< empty: none
  std::string_view document;  ///< a part of the request's body
};
/// The items of a request. Nothing, and `problem` says why, when it is no such request.
std::optional<std::vector<Item>> read_request(std::string_view body, std::string& problem);

/// Appends the elements of a JSON array, each as it stands. False when it is none of objects.
bool read_array(std::string_view body, std::vector<std::string>& elements);

struct ItemAnswer {
  Operation operation = Operation::index;
  unsigned status = 201;
};
void encode_answer(const std::vector<ItemAnswer>& items, base::ByteQueue& out);

}  // namespace windlass::wire::bulk
