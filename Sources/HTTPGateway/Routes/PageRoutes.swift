import Crypto
import HTTPTypes
import Hummingbird
import NIOCore

/// The web page and its files, which are part of the executable.
struct PageRoutes: Sendable {
    /// One file of the page.
    struct Asset: Sendable {
        let path: String
        let contentType: String
        let body: ByteBuffer
        let tag: EntityTag
        /// The same, smaller, under a tag of its own; nil: it would not be smaller.
        let packed: ByteBuffer?
        let packedTag: EntityTag

        init(_ path: String, _ contentType: String, _ bytes: [UInt8]) {
            self.path = path
            self.contentType = contentType
            body = ByteBuffer(bytes: bytes)
            let digest = hexadecimal(SHA256.hash(data: bytes))
            tag = EntityTag(sha256: digest)
            packedTag = EntityTag(sha256: digest + "-gzip")
            packed = Gzip.compress(bytes, level: 9).map { ByteBuffer(bytes: $0) }
        }
    }

    let assets: [Asset]

    init() {
        let script = "text/javascript; charset=utf-8"
        assets = [
            Asset("/", "text/html; charset=utf-8", PackageResources.index_html),
            Asset("/reference", "text/html; charset=utf-8", PackageResources.reference_html),
            Asset("/assets/reference.css", "text/css; charset=utf-8", PackageResources.reference_css),
            Asset("/assets/reference.js", script, PackageResources.reference_js),
            Asset("/api/openapi.json", "application/json", PackageResources.openapi_json),
            Asset("/assets/base.css", "text/css; charset=utf-8", PackageResources.base_css),
            Asset("/assets/compose.css", "text/css; charset=utf-8", PackageResources.compose_css),
            Asset("/assets/job.css", "text/css; charset=utf-8", PackageResources.job_css),
            Asset("/assets/activity.js", script, PackageResources.activity_js),
            Asset("/assets/api.js", script, PackageResources.api_js),
            Asset("/assets/app.js", script, PackageResources.app_js),
            Asset("/assets/chips.js", script, PackageResources.chips_js),
            Asset("/assets/clips.js", script, PackageResources.clips_js),
            Asset("/assets/cluster.js", script, PackageResources.cluster_js),
            Asset("/assets/dom.js", script, PackageResources.dom_js),
            Asset("/assets/editor.css", "text/css; charset=utf-8", PackageResources.editor_css),
            Asset("/assets/editor.js", script, PackageResources.editor_js),
            Asset("/assets/errors.js", script, PackageResources.errors_js),
            Asset("/assets/follow.js", script, PackageResources.follow_js),
            Asset("/assets/format.js", script, PackageResources.format_js),
            Asset("/assets/home.js", script, PackageResources.home_js),
            Asset("/assets/i18n.js", script, PackageResources.i18n_js),
            Asset("/assets/job.js", script, PackageResources.job_js),
            Asset("/assets/options.js", script, PackageResources.options_js),
            Asset("/assets/recent.js", script, PackageResources.recent_js),
            Asset("/assets/session.js", script, PackageResources.session_js),
            Asset("/assets/upload.js", script, PackageResources.upload_js),
            Asset("/assets/waterfall.js", script, PackageResources.waterfall_js),
            Asset("/assets/work.js", script, PackageResources.work_js),
            Asset("/assets/es.json", "application/json", PackageResources.es_json),
            Asset("/assets/en.json", "application/json", PackageResources.en_json),
            Asset("/assets/pt.json", "application/json", PackageResources.pt_json),
            Asset("/assets/icon.svg", "image/svg+xml", PackageResources.icon_svg),
        ]
    }

    var routes: [Route] {
        assets.map { asset in Route(.get, asset.path) { request, _ in Self.answer(asset, request) } }
    }

    private static func answer(_ asset: Asset, _ request: Request) -> Response {
        let packed = Gzip.isAccepted(request.headers[.acceptEncoding]) ? asset.packed : nil
        let tag = packed == nil ? asset.tag : asset.packedTag
        // Names carry no version, so a browser asks each time; the tag makes that a 304.
        var headers: HTTPFields = [
            .eTag: tag.text, .cacheControl: "no-cache", .contentSecurityPolicy: SafeHeaders.pagePolicy,
            .vary: "Accept-Encoding",
        ]
        if tag.matches(ifNoneMatch: request.headers[.ifNoneMatch]) {
            return Response(status: .notModified, headers: headers)
        }
        headers[.contentType] = asset.contentType
        if packed != nil { headers[.contentEncoding] = "gzip" }
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: packed ?? asset.body))
    }
}
