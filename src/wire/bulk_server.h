// _bulk, the receiving side: what a server reads, checks and answers, as Elasticsearch and OpenSearch do.
// Texts and types of errors are those of Elasticsearch 8; OpenSearch 2.19 has the same ones but where it is said.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "wire/bulk.h"

namespace windlass::wire::bulk {

/// What a server says of what it does not take.
struct Error {
  std::string_view type;
  std::string reason;
};

/// A document that is to be stored, and what becomes of it.
struct Item {
  Operation operation = Operation::index;
  std::string index = {};          ///< or data stream
  std::string id = {};             ///< empty: none
  std::string_view document = {};  ///< a part of the request's body
  bool has_timestamp = false;      ///< an @timestamp with one value, of whatever kind
  unsigned status = 201;           ///< 200: it took the place of another one
  Error error = {};                ///< from 300 on

  bool refused() const { return status >= 300; }
  void refuse(unsigned with, std::string_view type, std::string reason) {
    status = with;
    error = {type, std::move(reason)};
  }
};

/// The items of a request; those that cannot be stored, whatever the server holds, are refused: a document that is no
/// JSON object, an empty id, an index that cannot have that name. `index` is for those that name none. Nothing, and
/// `problem` says why, when the request is refused as a whole (400).
std::optional<std::vector<Item>> read_request(std::string_view body, std::string_view index, Error& problem);

/// Whether the name is one of the pattern's, in which * stands for any text.
bool matches(std::string_view pattern, std::string_view name);

/// Which parts of an answer are wanted: `filter_path` of a request, such as "errors,items.*.status". Patterns of names
/// between dots, with * for any text, ** for any names, and - before what is not wanted.
class AnswerFilter {
 public:
  /// Empty: all parts.
  explicit AnswerFilter(std::string_view filter_path = {});

 private:
  friend void encode_answer(const std::vector<Item>& items, const AnswerFilter& filter, base::ByteQueue& out);
  struct Members {
    bool index, id, result, status, error_type, error_reason;
  };

  bool took_, errors_;
  std::array<Members, 2> members_;  // by operation
};

/// Appends the answer to these items: of each _index, _id (where it was given one), result, status and error.
void encode_answer(const std::vector<Item>& items, const AnswerFilter& filter, base::ByteQueue& out);

/// The answer to a request that is refused as a whole, by what it is about or, with a mere text, by what HTTP says.
std::string error_answer(const Error& error, unsigned status);
std::string error_answer(std::string_view text, unsigned status);

/// Appends the elements of a JSON array, each as it stands. False when it is none of objects.
bool read_array(std::string_view body, std::vector<std::string>& elements);

}  // namespace windlass::wire::bulk
