// The client of resumable uploads of npm (tus-js-client), as its own process.
// Arguments: the folder of the module, then the settings as JSON. The last line
// that it prints tells as JSON what became of the upload.
import { createRequire } from 'node:module';
import { createReadStream } from 'node:fs';
import { PassThrough } from 'node:stream';

const [module, settings] = process.argv.slice(-2);
const tus = createRequire(`${module}/package.json`)('tus-js-client');
const { endpoint, file, metadata, urls, chunkSize, deferred, early, exitAt, resume, terminateAt } = JSON.parse(settings);

const requests = [];
const tell = (result) => {
  process.stdout.write(JSON.stringify({ requests, ...result }) + '\n', () => process.exit(0));
};
// A stream that is no file has no size to tell beforehand.
const input = deferred ? createReadStream(file).pipe(new PassThrough()) : createReadStream(file);
const upload = new tus.Upload(input, {
  endpoint, metadata,
  chunkSize: chunkSize || Infinity,
  uploadLengthDeferred: Boolean(deferred),
  uploadDataDuringCreation: Boolean(early),
  retryDelays: [0, 100, 300, 1000, 3000],
  urlStorage: new tus.FileUrlStorage(urls),
  onChunkComplete(_, sent) { // onProgress comes late: a fast upload would be over
    if (exitAt && sent >= exitAt) process.exit(7); // as if it were killed
    if (terminateAt && sent >= terminateAt) upload.abort(true).then(() => tell({ url: upload.url, terminated: true }));
  },
  onAfterResponse(request, response) {
    requests.push(`${request.getMethod()} ${response.getStatus()}`);
  },
  onSuccess({ lastResponse }) {
    tell({ url: upload.url, path: lastResponse.getHeader('Portico-Path') });
  },
  onError(error) {
    tell({ error: String(error), status: error.originalResponse?.getStatus(), body: error.originalResponse?.getBody() });
  },
});
const previous = await upload.findPreviousUploads();
if (resume) upload.resumeFromPreviousUpload(previous[0]);
upload.start();
