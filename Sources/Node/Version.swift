/// What this build is called, in `/api/health`, in logs and in manifests.
package let tijeraVersion = "0.1.0"
