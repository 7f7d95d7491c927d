// Windlass: events by HTTP, as JSON.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <windlass/endpoints.h>
#include <windlass/workers.h>

namespace windlass {

/// What requests of HTTP and of Elasticsearch share. Credentials: of one kind at most, `username`, `api_key` or
/// `bearer_token`.
struct HttpRequestOptions {
  std::string path;  ///< "/logs"; what comes before "/_bulk" for Elasticsearch
  std::vector<std::pair<std::string, std::string>> parameters;  ///< of the URL's query
  std::vector<std::pair<std::string, std::string>> headers;     ///< in addition to those that are needed
  std::string username;
  std::string password;
  std::string bearer_token;
  std::string api_key;        ///< "id:key"
  int compression_level = 0;  ///< 0: none; 1 (fast) to 9 (small), by gzip

  friend bool operator==(const HttpRequestOptions&, const HttpRequestOptions&) = default;
};

/// The port is 80 where none is given, 443 with TLS.
struct HttpOptions : EndpointOptions {
  enum class Format {
    lines,  ///< one event a line (NDJSON, application/x-ndjson)
    array,  ///< one JSON array (application/json)
  };

  HttpRequestOptions request;
  Format format = Format::lines;
};

/// Workers that send each batch by one POST, which an answer of the class 2xx acknowledges. Events must be JSON. The
/// factory throws as lumberjack_workers() does, and std::invalid_argument for options that cannot stand in a request.
WorkerFactory http_workers(HttpOptions options);

}  // namespace windlass
