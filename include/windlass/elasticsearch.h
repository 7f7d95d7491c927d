// Windlass: Elasticsearch and OpenSearch, by _bulk.
#pragma once

#include <string>

#include <windlass/http.h>

namespace windlass {

/// The port is 9200 where none is given.
struct ElasticsearchOptions : EndpointOptions {
  HttpRequestOptions request;
  /// An index or data stream; "%{+yyyy.MM.dd}" stands for the day of an event's @timestamp, in UTC.
  std::string index = "logs-windlass-default";
  std::string pipeline;  ///< an ingest pipeline; empty: the index's
  enum class Operation {
    create,  ///< never overwrites: an event that was sent twice is stored once. Data streams take nothing else.
    index,
  } operation = Operation::create;
  /// What becomes of an event to which the answer is 403 (an index that is read-only, say).
  enum class Forbidden { hold, reject } forbidden = Forbidden::hold;
};

/// Workers that send batches by _bulk, and take each event's own answer for it. Events must be JSON objects;
/// @metadata._id becomes the document's id, and @metadata is not stored. The factory throws as http_workers() does.
WorkerFactory elasticsearch_workers(ElasticsearchOptions options);

}  // namespace windlass
