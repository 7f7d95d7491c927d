#include "app/json_line.h"

#include <boost/json/basic_parser_impl.hpp>
#include <cstddef>
#include <cstdint>

namespace windlass::app {
namespace {

/// Hears what the parser finds, and needs none of it.
struct Listener {
  static constexpr std::size_t max_object_size = SIZE_MAX;
  static constexpr std::size_t max_array_size = SIZE_MAX;
  static constexpr std::size_t max_key_size = SIZE_MAX;
  static constexpr std::size_t max_string_size = SIZE_MAX;

  using Error = boost::json::error_code;
  using Text = boost::json::string_view;

  bool on_document_begin(Error&) { return true; }
  bool on_document_end(Error&) { return true; }
  bool on_object_begin(Error&) { return true; }
  bool on_object_end(std::size_t, Error&) { return true; }
  bool on_array_begin(Error&) { return true; }
  bool on_array_end(std::size_t, Error&) { return true; }
  bool on_key_part(Text, std::size_t, Error&) { return true; }
  bool on_key(Text, std::size_t, Error&) { return true; }
  bool on_string_part(Text, std::size_t, Error&) { return true; }
  bool on_string(Text, std::size_t, Error&) { return true; }
  bool on_number_part(Text, Error&) { return true; }
  bool on_int64(std::int64_t, Text, Error&) { return true; }
  bool on_uint64(std::uint64_t, Text, Error&) { return true; }
  bool on_double(double, Text, Error&) { return true; }
  bool on_bool(bool, Error&) { return true; }
  bool on_null(Error&) { return true; }
  bool on_comment_part(Text, Error&) { return true; }
  bool on_comment(Text, Error&) { return true; }
};

boost::json::parse_options options() {
  boost::json::parse_options result;
  result.max_depth = JsonLineChecker::max_depth;
  return result;
}

}  // namespace

class JsonLineChecker::Impl {
 public:
  bool is_object(std::string_view line) {
    const auto first = line.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos || line[first] != '{') return false;
    parser_.reset();
    boost::json::error_code error;
    const std::size_t used = parser_.write_some(false, line.data(), line.size(), error);
    return !error && used == line.size() && parser_.done();
  }

 private:
  boost::json::basic_parser<Listener> parser_{options()};
};

JsonLineChecker::JsonLineChecker() : impl_(std::make_unique<Impl>()) {}
JsonLineChecker::~JsonLineChecker() = default;

bool JsonLineChecker::is_object(std::string_view line) {
  return impl_->is_object(line);
}

}  // namespace windlass::app
